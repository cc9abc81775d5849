# Tests of the quantiser: through the header, and one behind it.
add_tessera_test(test_vq_exact)
add_tessera_test(test_vq_training)
add_tessera_test(test_vq_certificate tessera_vq_breakable)

# For whoever works on a kernel; not a test.
add_executable(bench_vq bench_vq.cpp)
target_link_libraries(bench_vq PRIVATE tessera)
set_target_properties(bench_vq PROPERTIES INSTALL_RPATH "\$ORIGIN/../lib")
