// Layer normalisation over the last dimension (Ba, Kiros and Hinton 2016): forward, and the gradient by the input. The
// gradients of gamma and beta are sums over rows: column_sums.cuh with the terms below.
//
//   tile       a warp a row, 8 rows a block of 256 threads; a lane takes every 32nd channel
//   registers  at most 40, no shared memory
//   work       forward 4 bytes read (twice more from the cache) and 4 written, some 8 operations an element; backward
//              8 read (once more from the cache) and 4 written, some 14 operations: bound by memory
//   in place   forward y may be x, backward dx may be dy: a lane writes the elements that it alone has read, after all
//              sums over the row are known
#pragma once

#include "kernels/warp.cuh"

namespace tessera::cuda {

constexpr int kNormThreads = 256;
constexpr int kNormRows = kNormThreads / 32;  // of a block

TS_KERNEL(kNormThreads, 6)
normalize_rows(const float *x, const float *gamma, const float *beta, int64_t rows, int64_t channels, float epsilon,
               float *y, float *mean, float *rstd) {
  const int lane = static_cast<int>(threadIdx.x) % 32;
  const int64_t row = int64_t{blockIdx.x} * kNormRows + static_cast<int>(threadIdx.x) / 32;
  if (!TS_GUARD(1, row < rows)) return;
  x += row * channels;
  y += row * channels;
  const auto count = static_cast<float>(channels);

  float sum = 0.0f, square = 0.0f;
  for (int64_t i = lane; i < channels; i += 32) sum += x[i];
  const float m = warp_sum(sum) / count;
  for (int64_t i = lane; i < channels; i += 32) square = fmaf(x[i] - m, x[i] - m, square);
  const float r = 1.0f / sqrtf(warp_sum(square) / count + epsilon);

  for (int64_t i = lane; i < channels; i += 32) y[i] = fmaf((x[i] - m) * r, gamma[i], beta[i]);
  if (lane != 0) return;
  mean[row] = m;
  rstd[row] = r;
}

// With x^ = (x - mean) rstd and g = dy gamma:  dx = rstd (g - mean(g) - x^ mean(g x^)).
TS_KERNEL(kNormThreads, 6)
normalize_rows_backward(const float *x, const float *gamma, const float *mean, const float *rstd, const float *dy,
                        int64_t rows, int64_t channels, float *dx) {
  const int lane = static_cast<int>(threadIdx.x) % 32;
  const int64_t row = int64_t{blockIdx.x} * kNormRows + static_cast<int>(threadIdx.x) / 32;
  if (!TS_GUARD(2, row < rows)) return;
  x += row * channels;
  dy += row * channels;
  dx += row * channels;
  const float m = mean[row], r = rstd[row];
  const auto count = static_cast<float>(channels);

  float sum = 0.0f, product = 0.0f;
  for (int64_t i = lane; i < channels; i += 32) {
    const float g = dy[i] * gamma[i];
    sum += g;
    product = fmaf(g, (x[i] - m) * r, product);
  }
  const float a = warp_sum(sum) / count, b = warp_sum(product) / count;
  for (int64_t i = lane; i < channels; i += 32) dx[i] = r * (dy[i] * gamma[i] - a - (x[i] - m) * r * b);
}

// Terms of column_sums: what a row adds to dgamma and to dbeta.
struct NormGradients {
  static constexpr int kSums = 2;
  const float *x, *mean, *rstd, *dy;
  int64_t channels;

  TS_DEVICE void operator()(int64_t row, int64_t channel, float (&term)[kSums]) const {
    const int64_t i = row * channels + channel;
    term[0] = dy[i] * ((x[i] - mean[row]) * rstd[row]);
    term[1] = dy[i];
  }
};

}  // namespace tessera::cuda
