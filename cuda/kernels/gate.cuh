// The gate of a gated PixelCNN, tanh(a) sigmoid(b), and its gradient.
//
//   tile       a thread an output number, 256 threads; class_sums a thread a class and channel, rows ascending
//   registers  at most 40, no shared memory
//   work       forward 8 bytes read and 12 written, backward 12 read and 8 written: bound by memory
//   in place   gates may be x, and dx may be gates: a thread writes the two elements that it alone has read
#pragma once

#include "kernels/fault.cuh"

namespace tessera::cuda {

constexpr int kGateThreads = 256, kGateBlocks = 6;

struct GateShape {
  int64_t class_count, class_rows, rows, channels;
};

TS_KERNEL(kGateThreads, kGateBlocks)
gate_rows(GateShape g, const float *x, const float *class_bias, const int32_t *classes, float *gates, float *y,
          FaultSlot fault) {
  const int64_t stride = int64_t{gridDim.x} * kGateThreads, count = g.rows * g.channels;
  for (int64_t i = int64_t{blockIdx.x} * kGateThreads + threadIdx.x; i < count; i += stride) {
    const int64_t row = i / g.channels, channel = i % g.channels;
    const int64_t at = row * 2 * g.channels + channel, beside = at + g.channels;
    float a = x[at], b = x[beside];
    if (classes) {
      const int64_t place = row / g.class_rows;
      const int32_t c = classes[place];
      if (!TS_GUARD(1, c >= 0 && c < g.class_count)) {
        if (channel == 0) report_fault(fault, place);
        gates[at] = gates[beside] = y[i] = 0.0f;
        continue;
      }
      const float *bias = class_bias + c * 2 * g.channels + channel;
      a += bias[0];
      b += bias[g.channels];
    }
    const float e = expf(b < 0.0f ? b : -b), share = 1.0f / (1.0f + e);
    const float t = tanhf(a), s = b < 0.0f ? e * share : share;
    gates[at] = t;
    gates[beside] = s;
    y[i] = t * s;
  }
}

TS_KERNEL(kGateThreads, kGateBlocks) gate_gradient(GateShape g, const float *gates, const float *dy, float *dx) {
  const int64_t stride = int64_t{gridDim.x} * kGateThreads, count = g.rows * g.channels;
  for (int64_t i = int64_t{blockIdx.x} * kGateThreads + threadIdx.x; i < count; i += stride) {
    const int64_t at = i / g.channels * 2 * g.channels + i % g.channels, beside = at + g.channels;
    const float t = gates[at], s = gates[beside], d = dy[i] * s;
    dx[at] = d * (1.0f - t * t);
    dx[beside] = d * t * (1.0f - s);
  }
}

// dclass_bias [class_count, 2 channels]: the sums of the rows of dx of each class, in float64.
TS_KERNEL(kGateThreads, kGateBlocks)
class_sums(GateShape g, const float *dx, const int32_t *classes, float *dclass_bias, FaultSlot fault) {
  const int64_t i = int64_t{blockIdx.x} * kGateThreads + threadIdx.x, wide = 2 * g.channels;
  if (!TS_GUARD(2, i < g.class_count * wide)) return;
  const int64_t mine = i / wide, channel = i % wide;
  double sum = 0.0;
  for (int64_t row = 0; row < g.rows; row++) {
    const int32_t c = classes[row / g.class_rows];
    if (c == mine) sum += static_cast<double>(dx[row * wide + channel]);
    if (i == 0 && (c < 0 || c >= g.class_count)) report_fault(fault, row / g.class_rows);
  }
  dclass_bias[i] = static_cast<float>(sum);
}

}  // namespace tessera::cuda
