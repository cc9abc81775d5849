// softmax_cross_entropy: the term of each row and its gradient; reduce.cuh adds the terms in tessera.h's order.
//
//   tile       a warp a row, 8 rows a block of 256 threads; a lane takes every 32nd logit
//   registers  at most 40, no shared memory
//   work       4 bytes read (twice more from the cache), 4 written, 2 exp and one float64 addition an element:
//              bound by memory
//   in place   grad may be logits: a lane writes only elements that no other lane reads
#pragma once

#include "kernels/fault.cuh"
#include "kernels/warp.cuh"

namespace tessera::cuda {

constexpr int kSoftmaxThreads = 256;
constexpr int kSoftmaxRows = kSoftmaxThreads / 32;  // of a block

struct SoftmaxRows {
  const float *logits;     // [rows, k]
  const int32_t *targets;  // [rows]
  int64_t rows, k;
  double scale;   // of the gradient
  double *terms;  // [rows] -log softmax(logits)[target]
  float *losses;  // [rows] the same in fp32, or null
  float *grad;    // [rows, k] or null
};

TS_KERNEL(kSoftmaxThreads, 6) softmax_rows(SoftmaxRows s, FaultSlot fault) {
  const int lane = static_cast<int>(threadIdx.x) % 32;
  const int64_t row = int64_t{blockIdx.x} * kSoftmaxRows + static_cast<int>(threadIdx.x) / 32;
  if (!TS_GUARD(1, row < s.rows)) return;
  const float *x = s.logits + row * s.k;
  float *grad = s.grad ? s.grad + row * s.k : nullptr;
  const int32_t target = s.targets[row];
  if (!TS_GUARD(2, target >= 0 && target < s.k)) {
    for (int64_t i = lane; grad && i < s.k; i += 32) grad[i] = 0.0f;
    if (lane != 0) return;
    report_fault(fault, row);
    s.terms[row] = 0.0;
    if (s.losses) s.losses[row] = 0.0f;
    return;
  }

  // A NaN is lost from the maximum, but not from the sum.
  float most = -INFINITY;
  for (int64_t i = lane; i < s.k; i += 32) most = fmaxf(most, x[i]);
  most = warp_max(most);
  double sum = 0.0;
  for (int64_t i = lane; i < s.k; i += 32) sum += static_cast<double>(expf(x[i] - most));
  sum = warp_sum(sum);

  if (lane == target % 32) {
    const double term = log(sum) + static_cast<double>(most) - static_cast<double>(x[target]);
    s.terms[row] = term;
    if (s.losses) s.losses[row] = static_cast<float>(term);
  }
  if (!grad) return;
  const auto factor = static_cast<float>(s.scale / sum), at_target = static_cast<float>(s.scale);
  for (int64_t i = lane; i < s.k; i += 32) {
    const float share = expf(x[i] - most) * factor;
    grad[i] = i == target ? share - at_target : share;
  }
}

}  // namespace tessera::cuda
