// nearest_in_row: what follows the product in the formula that writes all distances to memory: of each row of
// scores [n, k] = x c^T the code with the largest score - half_norm. A warp a row, 4 bytes a score: bound by memory.
#pragma once

#include "kernels/intrinsics.cuh"

namespace tessera::bench {

constexpr int kMaterialisedThreads = 256;
constexpr int kMaterialisedRows = kMaterialisedThreads / 32;

TS_KERNEL(kMaterialisedThreads, 6)
nearest_in_row(const float *scores, const float *half_norms, int64_t n, int64_t k, int32_t *codes) {
  const int lane = static_cast<int>(threadIdx.x) % 32;
  const int64_t row = int64_t{blockIdx.x} * kMaterialisedRows + static_cast<int>(threadIdx.x) / 32;
  float best = -INFINITY;
  int code = 0x7FFFFFFF;
  if (row < n) {
    for (int64_t i = lane; i < k; i += 32) {
      const float score = scores[row * k + i] - half_norms[i];
      if (score > best) {
        best = score;
        code = static_cast<int>(i);
      }
    }
  }
  TS_UNROLL
  for (int mask = 16; mask > 0; mask /= 2) {
    const float other = cuda::shuffle_xor(best, mask);
    const int other_code = cuda::shuffle_xor(code, mask);
    if (other > best || (other == best && other_code < code)) {
      best = other;
      code = other_code;
    }
  }
  if (row < n && lane == 0) codes[row] = code;
}

}  // namespace tessera::bench
