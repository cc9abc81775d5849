// adam_step: all parameters of a call in one launch. 16 bytes read and 12 written an element, bound by memory; the same
// operations in the same order as the CPU's, so the same bits.
//
//   tile       2048 elements of one parameter a block, 256 threads
//   registers  at most 40, no shared memory; the slots travel as the kernel's parameter (under 4 KB)
#pragma once

#include "core/backend.h"
#include "kernels/platform.cuh"

namespace tessera::cuda {

constexpr int kAdamThreads = 256;
constexpr int kAdamChunk = 2048;
constexpr int kAdamSlots = 64;  // of one launch

struct AdamWork {
  ts_adam_factors factors;
  int count;
  int first_chunk[kAdamSlots + 1];  // slot s has the blocks from first_chunk[s] to first_chunk[s + 1]
  ts_adam_slot slots[kAdamSlots];
};

TS_KERNEL(kAdamThreads, 6) adam_update(const AdamWork work) {
  const int chunk = static_cast<int>(blockIdx.x);
  int low = 0, high = work.count - 1;  // the last slot that begins at or before the chunk
  while (low < high) {
    const int middle = (low + high + 1) / 2;
    if (work.first_chunk[middle] <= chunk)
      low = middle;
    else
      high = middle - 1;
  }
  const ts_adam_slot &slot = work.slots[low];
  const ts_adam_factors &f = work.factors;
  const int64_t begin = int64_t{chunk - work.first_chunk[low]} * kAdamChunk;
  for (int64_t i = begin + threadIdx.x; i < begin + kAdamChunk; i += kAdamThreads) {
    if (!TS_GUARD(1, i < slot.size)) return;
    const float g = slot.gradient[i], p = slot.parameter[i];
    const float m = slot.m[i] + (g - slot.m[i]) * f.one_minus_beta1;
    const float v = slot.v[i] + (g * g - slot.v[i]) * f.one_minus_beta2;
    slot.m[i] = m;
    slot.v[i] = v;
    slot.parameter[i] = p - f.decay * p - f.step_size * m / (sqrtf(v) * f.v_scale + f.epsilon);
  }
}

}  // namespace tessera::cuda
