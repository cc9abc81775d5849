// Rows of the codebook, or of another table, by code, and the gradient of the codebook loss by the codes.
//
// gather_rows      out[n] = c[codes[n]]
//                  tile       a power of two of lanes a row (as many as it has numbers, or fours, at most 32)
//                  registers  at most 42, no shared memory
//                  work       4 + 8 D bytes a row (the codebook stays in L2)
// codebook_grad    12 bytes and some float64 an element
#pragma once

#include "kernels/fault.cuh"

namespace tessera::cuda {

constexpr int kGatherThreads = 256;
constexpr int kGatherBlocks = 6;

// kQuads: rows are multiples of 4 numbers at addresses that are multiples of 16. A slot without a record reports
// nothing: rows that the search found at fault have the code -1.
template <bool kQuads>
TS_KERNEL(kGatherThreads, kGatherBlocks)
gather_rows(const float *book, int64_t k, int64_t d, const int32_t *codes, int64_t n, int lanes, float *out,
            FaultSlot fault) {
  const int lane = static_cast<int>(threadIdx.x) % lanes, rows = kGatherThreads / lanes;
  const int64_t stride = int64_t{gridDim.x} * rows;
  for (int64_t row = int64_t{blockIdx.x} * rows + static_cast<int>(threadIdx.x) / lanes; row < n; row += stride) {
    const int64_t code = codes[row];
    const bool valid = TS_GUARD(1, code >= 0 && code < k);
    if (!valid && lane == 0 && fault.record) report_fault(fault, row);
    const float *from = book + code * d;
    float *to = out + row * d;
    if (kQuads) {
      for (int64_t i = 4 * lane; i < d; i += 4 * lanes)
        store16(to + i, valid ? load16(from + i) : make_float4(0.0f, 0.0f, 0.0f, 0.0f));
    } else {
      for (int64_t i = lane; i < d; i += lanes) to[i] = valid ? from[i] : 0.0f;
    }
  }
}

// grad [k, d] = scale (counts c - sums). In float64: near convergence the two terms cancel.
TS_KERNEL(kGatherThreads, kGatherBlocks)
codebook_gradient(const float *book, int64_t count, int64_t d, double scale, const int32_t *counts, const float *sums,
                  float *grad) {
  const int64_t stride = int64_t{gridDim.x} * kGatherThreads;
  for (int64_t i = int64_t{blockIdx.x} * kGatherThreads + threadIdx.x; i < count; i += stride) {
    const auto rows = static_cast<double>(counts[i / d]);
    grad[i] = static_cast<float>(scale * (rows * static_cast<double>(book[i]) - static_cast<double>(sums[i])));
  }
}

}  // namespace tessera::cuda
