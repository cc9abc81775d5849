// clip_gradients: the norm from the sum of squares (reduce.cuh), and the gradients scaled where it is too large.
//
//   tile       2048 elements of one gradient a block, 256 threads
//   registers  at most 40, no shared memory; the slots travel as the kernel's parameter (under 4 KB)
//   work       for the sum 4 bytes an element; scaled, 4 read and 4 written
#pragma once

#include "core/backend.h"
#include "kernels/platform.cuh"

namespace tessera::cuda {

constexpr int kClipThreads = 256;
constexpr int kClipChunk = 2048;
constexpr int kClipSlots = 64;  // of one launch

// A term of block_sums.
struct Squares {
  const float *x;
  TS_DEVICE double operator()(int64_t i) const { return static_cast<double>(x[i]) * static_cast<double>(x[i]); }
};

struct ClipWork {
  double max_norm;
  const double *square;  // of the norm
  double *norm;          // written by the first block
  int count;
  int first_chunk[kClipSlots + 1];  // slot s has the blocks from first_chunk[s] to first_chunk[s + 1]
  ts_clip_slot slots[kClipSlots];
};

TS_KERNEL(kClipThreads, 6) clip_chunks(const ClipWork work) {
  const double norm = sqrt(*work.square);
  const int chunk = static_cast<int>(blockIdx.x);
  if (chunk == 0 && threadIdx.x == 0) *work.norm = norm;
  if (!(norm > work.max_norm) || isinf(norm)) return;
  int slot = 0;  // there is one: without gradients the norm is 0
  while (work.first_chunk[slot + 1] <= chunk) slot++;
  const auto factor = static_cast<float>(work.max_norm / norm);
  const int64_t begin = int64_t{chunk - work.first_chunk[slot]} * kClipChunk;
  for (int64_t i = begin + threadIdx.x; i < begin + kClipChunk; i += kClipThreads) {
    if (!TS_GUARD(1, i < work.slots[slot].size)) return;
    work.slots[slot].gradient[i] *= factor;
  }
}

}  // namespace tessera::cuda
