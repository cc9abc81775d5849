# Tests of the quantiser: through the header, and one behind it.
add_tessera_test(test_vq_exact)
add_tessera_test(test_vq_training)
add_tessera_test(test_vq_certificate tessera_vq_breakable)

# Not tests: speed, for whoever works on a kernel, and exactness for as long as one likes.
foreach(name bench_vq soak_vq fuzz_vq)
  add_executable(${name} ${name}.cpp)
  target_link_libraries(${name} PRIVATE tessera)
  set_target_properties(${name} PROPERTIES INSTALL_RPATH "\$ORIGIN/../lib")
endforeach()

# As a test the fuzz target only shows that it works.
add_test(NAME fuzz_vq_smoke COMMAND fuzz_vq --seconds 2)
set_tests_properties(fuzz_vq_smoke PROPERTIES TIMEOUT 60 ENVIRONMENT GOMP_SPINCOUNT=10000)
