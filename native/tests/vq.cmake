# Tests of the quantiser: through the header, and one behind it.
add_tessera_test(test_vq_exact)
add_tessera_test(test_vq_training)
add_tessera_test(test_vq_certificate tessera_vq_breakable)
