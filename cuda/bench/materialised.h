// The formula that everybody writes first: all scores [N, K] in memory, by a matrix product, then the largest of each
// row. In fp32, so near ties come out as rounding has it.
#pragma once

#include "bench.h"

namespace tessera::bench {

// Nearest codes of x [n, d] in chunks of rows, into nearest [n]. Returns its seconds, and in *how what made the
// product.
double materialised_search(Bench &bench, const Tensor<float> &x, const Tensor<float> &book,
                           const std::vector<float> &codes, int64_t n, int64_t k, int64_t d, Tensor<int32_t> &nearest,
                           std::string *how);

}  // namespace tessera::bench
