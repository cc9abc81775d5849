// dropout: y = residual + keep x / (1 - probability), with the mask computed where it is used (random.cuh).
//
//   tile       4 elements a thread, those of one Philox block; 256 threads
//   registers  at most 40, no shared memory
//   work       8 bytes (12 with a residual) and about 30 integer operations an element: bound by memory
//   in place   y may be x or residual: a thread writes the elements that it alone has read
#pragma once

#include "kernels/random.cuh"

namespace tessera::cuda {

struct Dropout {
  PhiloxKey key;
  uint32_t threshold;  // of a word's upper 24 bits: below it the element is dropped
  float scale;
  const float *x, *residual;  // residual may be null
  float *y;
  int64_t count;

  TS_DEVICE void one(int64_t i, uint32_t word) const {
    const float kept = word >> 8 < threshold ? 0.0f : x[i] * scale;
    y[i] = residual ? residual[i] + kept : kept;
  }
};

TS_KERNEL(kRandomThreads, 6) drop_elements(Dropout d) {
  const int64_t stride = int64_t{gridDim.x} * kRandomThreads, blocks = ceil_div<int64_t>(d.count, 4);
  for (int64_t b = int64_t{blockIdx.x} * kRandomThreads + threadIdx.x; b < blocks; b += stride) {
    const uint4 words = philox(static_cast<uint32_t>(b), d.key);
    d.one(4 * b, words.x);
    if (TS_GUARD(1, 4 * b + 1 < d.count)) d.one(4 * b + 1, words.y);
    if (TS_GUARD(2, 4 * b + 2 < d.count)) d.one(4 * b + 2, words.z);
    if (TS_GUARD(3, 4 * b + 3 < d.count)) d.one(4 * b + 3, words.w);
  }
}

}  // namespace tessera::cuda
