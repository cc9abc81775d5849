// The moving averages of counts and sums, and the codes that follow from them, as Sonnet computes them
// (snt.nets.VectorQuantizerEMA; van den Oord et al. 2017, appendix A.1). The hidden averages are fp32, as Sonnet keeps
// them; what is derived from them is float64.
//
//   counts     a term of block_sums (reduce.cuh): 12 bytes a code
//   sums       one thread a number, 256 threads; at most 40 registers; 16 bytes a number and some float64 a code
#pragma once

#include "kernels/intrinsics.cuh"

namespace tessera::cuda {

constexpr int kEmaThreads = 256;
constexpr int kEmaBlocks = 6;

// Updates the hidden count of a code and gives its bias-corrected average, of which the total is wanted.
struct AverageCount {
  float rate;  // 1 - decay
  double debias;
  const int32_t *counts;
  float *hidden_counts;
  TS_DEVICE double operator()(int64_t i) const {
    const float hidden = hidden_counts[i] - (hidden_counts[i] - static_cast<float>(counts[i])) * rate;
    hidden_counts[i] = hidden;
    return static_cast<double>(hidden) * debias;
  }
};

// total: the sum of the average counts. With 0 nothing was ever counted, and the codes stay.
TS_KERNEL(kEmaThreads, kEmaBlocks)
ema_codes(float rate, double debias, double epsilon, int64_t k, int64_t d, const double *total, const float *sums,
          const float *hidden_counts, float *hidden_sums, const float *old_codes, float *new_codes) {
  const double n = *total;
  const int64_t count = k * d, stride = int64_t{gridDim.x} * kEmaThreads;
  for (int64_t i = int64_t{blockIdx.x} * kEmaThreads + threadIdx.x; i < count; i += stride) {
    const float hidden = hidden_sums[i] - (hidden_sums[i] - sums[i]) * rate;
    hidden_sums[i] = hidden;
    const double average = static_cast<double>(hidden_counts[i / d]) * debias;
    const double smoothed = (average + epsilon) / (n + static_cast<double>(k) * epsilon) * n;
    new_codes[i] = n == 0.0 ? old_codes[i] : static_cast<float>(static_cast<double>(hidden) * (debias / smoothed));
  }
}

}  // namespace tessera::cuda
