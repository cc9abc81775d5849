// Masked convolutions of priors over codes: of codes as sums of rows of weights, their gradient by the weights, and one
// position of a convolution of features.
//
// code_conv      a thread an output number, consecutive threads consecutive channels: 4 bytes and one addition a tap,
//                bound by the L2 cache, which holds the weights
// code_gradient  a block of 64 threads a tap and code, a thread a channel. It goes through all outputs in ascending
//                order and adds those whose input is its code: the order of addition is one and the same, without
//                atomics. Reads taps K times the codes (broadcast, from the caches) and dy taps times
// bias_gradient  a thread a channel, rows ascending
// conv_at        a thread an output number: the chain of fmaf that tessera.h states, weights along the threads; 2
//                operations and 4 bytes from the cache a weight and image. Sampling is bound by launches, not by this
// registers      at most 40, code_conv 48 (with 40 it spills on sm_100), code_gradient 64; no shared memory
#pragma once

#include "core/backend.h"
#include "kernels/fault.cuh"

namespace tessera::cuda {

constexpr int kMaskedThreads = 256, kMaskedBlocks = 6, kCodeConvBlocks = 5;
constexpr int kCodeGradientThreads = 64;

// Where the codes of images lie: code (r, c) of image b at (r W + c) step + b image.
struct CodeLayout {
  int64_t step, image;
};

TS_KERNEL(kMaskedThreads, kCodeConvBlocks)
code_conv(ts_masked_conv_shape s, CodeLayout layout, bool one_position, const int32_t *codes, const float *w,
          const float *bias, float *y, int64_t count, FaultSlot fault) {
  const int64_t stride = int64_t{gridDim.x} * kMaskedThreads, positions = one_position ? 1 : s.height * s.width;
  for (int64_t i = int64_t{blockIdx.x} * kMaskedThreads + threadIdx.x; i < count; i += stride) {
    const int64_t output = i / s.out_c, channel = i % s.out_c, image = output / positions;
    const int64_t row = one_position ? s.row : output % positions / s.width;
    const int64_t column = one_position ? s.column : output % s.width;
    float sum = bias ? bias[channel] : 0.0f;
    for (int64_t tap = 0; tap < s.taps; tap++) {
      const int64_t r = row - s.pad_top + tap / s.kernel_w, c = column - s.pad_left + tap % s.kernel_w;
      if (!TS_GUARD(3, r >= 0 && r < s.height && c >= 0 && c < s.width)) continue;
      const int64_t at = (r * s.width + c) * layout.step + image * layout.image;
      const int32_t code = codes[at];
      if (TS_GUARD(1, code >= 0 && code < s.in_c))
        sum += w[(tap * s.in_c + code) * s.out_c + channel];
      else if (channel == 0)
        report_fault(fault, at);
    }
    y[i] = s.activation == TS_ACTIVATION_RELU && sum <= 0.0f ? 0.0f : sum;
  }
}

TS_KERNEL(kCodeGradientThreads, 16)
code_gradient(ts_masked_conv_shape s, const int32_t *codes, const float *dy, float *dw, FaultSlot fault) {
  const int64_t tap = blockIdx.x / s.in_c, code = blockIdx.x % s.in_c;
  const int64_t down = tap / s.kernel_w - s.pad_top, right = tap % s.kernel_w - s.pad_left;
  for (int64_t channel = threadIdx.x; channel < s.out_c; channel += kCodeGradientThreads) {
    float sum = 0.0f;
    for (int64_t image = 0; image < s.batch; image++)
      for (int64_t r = 0; r < s.height; r++) {
        if (!TS_GUARD(4, r + down >= 0 && r + down < s.height)) continue;
        for (int64_t c = 0; c < s.width; c++) {
          if (!TS_GUARD(5, c + right >= 0 && c + right < s.width)) continue;
          const int64_t output = (image * s.height + r) * s.width + c, at = output + down * s.width + right;
          const int32_t there = codes[at];
          if (there == code) sum += dy[output * s.out_c + channel];
          if (code == 0 && channel == 0 && (there < 0 || there >= s.in_c)) report_fault(fault, at);
        }
      }
    dw[(tap * s.in_c + code) * s.out_c + channel] = sum;
  }
}

TS_KERNEL(kMaskedThreads, kMaskedBlocks) bias_gradient(const float *dy, int64_t rows, int64_t channels, float *dbias) {
  const int64_t channel = int64_t{blockIdx.x} * kMaskedThreads + threadIdx.x;
  if (!TS_GUARD(2, channel < channels)) return;
  float sum = 0.0f;
  for (int64_t row = 0; row < rows; row++) sum += dy[row * channels + channel];
  dbias[channel] = sum;
}

TS_KERNEL(kMaskedThreads, kMaskedBlocks)
conv_at(ts_masked_conv_shape s, const float *x, const float *w, const float *bias, float *y, int64_t count) {
  const int64_t stride = int64_t{gridDim.x} * kMaskedThreads;
  for (int64_t i = int64_t{blockIdx.x} * kMaskedThreads + threadIdx.x; i < count; i += stride) {
    const int64_t image = i / s.out_c, channel = i % s.out_c;
    float sum = bias ? bias[channel] : 0.0f;
    for (int64_t tap = 0; tap < s.taps; tap++) {
      const int64_t r = s.row - s.pad_top + tap / s.kernel_w, c = s.column - s.pad_left + tap % s.kernel_w;
      if (!TS_GUARD(6, r >= 0 && r < s.height && c >= 0 && c < s.width)) continue;
      const float *from = x + ((r * s.width + c) * s.batch + image) * s.in_c;
      const float *weights = w + tap * s.in_c * s.out_c + channel;
      for (int64_t d = 0; d < s.in_c; d++) sum = fmaf(from[d], weights[d * s.out_c], sum);
    }
    y[i] = s.activation == TS_ACTIVATION_RELU && sum <= 0.0f ? 0.0f : sum;
  }
}

}  // namespace tessera::cuda
