# Tests of the layers.
add_tessera_test(test_nn_reference)   # the float64 reference, by finite differences
add_tessera_test(test_nn_convolution) # every op against it, on random shapes
add_tessera_test(test_nn_matmul)
add_tessera_test(test_nn_streams)     # determinism, several streams at once, more shapes than the cache holds

if(NOT TESSERA_CPU_LAYERS)  # built all the same, for other devices
  set_tests_properties(test_arguments test_nn_convolution test_nn_matmul test_nn_streams PROPERTIES DISABLED ON)
endif()

# Not a test: the speed of every layer of the networks.
add_executable(bench_nn bench_nn.cpp)
target_link_libraries(bench_nn PRIVATE tessera)
set_target_properties(bench_nn PROPERTIES INSTALL_RPATH "\$ORIGIN/../lib")
