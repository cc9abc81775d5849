// Sums in float64 in tessera.h's one order: elements ascending within blocks of 1024, then the blocks ascending. The
// same bits as the CPU's, so neither sum can be a tree: a lane adds a whole block.
//
// block_sums   tile       32 blocks of 1024 elements by one warp, in steps of 32 x 32: a row of elements is loaded
// along
//                         memory and added across, through a transposed tile; the next step's elements are on their way
//                         while this one's are added
//              shared     8.4 KB (32 x 33 doubles; the odd pitch keeps columns in different banks)
//              registers  at most 112 (one warp a block)
//              work       4 bytes (8 with two inputs) and one float64 addition an element
// total        one block; 1024 sums at a time are loaded by all and added by one thread: 8 ns each, 1/1024 of the
// elements
#pragma once

#include "kernels/intrinsics.cuh"

namespace tessera::cuda {

constexpr int kSumBlock = 1024;
constexpr int kSumTile = 32;  // elements of a step, and blocks of a warp
constexpr int kSumPitch = kSumTile + 1;
constexpr int kSumTileSize = kSumTile * kSumPitch;
constexpr int kTotalThreads = 256;
constexpr int kTotalTile = 1024;

// What is added: the elements of x themselves.
struct Elements {
  const float *x;
  TS_DEVICE double operator()(int64_t i) const { return static_cast<double>(x[i]); }
};

// sums[b] = the sum of term(i) over block b. Term may also write element i of something, once.
template <class Term>
TS_KERNEL(kSumTile, 8)
block_sums(Term term, int64_t count, double *sums) {
  SharedMemory shared;
  TS_SHARED(double, tile, kSumTileSize);
  const int lane = static_cast<int>(threadIdx.x);
  const int64_t first_block = int64_t{blockIdx.x} * kSumTile, first = first_block * kSumBlock;
  double next[kSumTile], sum = 0.0;
  TS_UNROLL
  for (int r = 0; r < kSumTile; r++) {
    const int64_t i = first + r * kSumBlock + lane;
    next[r] = TS_GUARD(1, i < count) ? term(i) : 0.0;
  }
  for (int step = 0; step < kSumBlock; step += kSumTile) {
    TS_UNROLL
    for (int r = 0; r < kSumTile; r++) tile[r * kSumPitch + lane] = next[r];
    TS_SYNC_WARP(2);
    if (step + kSumTile < kSumBlock) {
      TS_UNROLL
      for (int r = 0; r < kSumTile; r++) {
        const int64_t i = first + r * kSumBlock + step + kSumTile + lane;
        next[r] = TS_GUARD(3, i < count) ? term(i) : 0.0;
      }
    }
    // What lies beyond the end is +0 and changes no sum: not even a sum of -0, which has begun at +0.
    TS_UNROLL
    for (int c = 0; c < kSumTile; c++) sum += tile[lane * kSumPitch + c];
    TS_SYNC_WARP(4);
  }
  if (TS_GUARD(5, (first_block + lane) * kSumBlock < count)) sums[first_block + lane] = sum;
}

// *total = the sum of sums [blocks], ascending, divided by `divisor`.
TS_KERNEL(kTotalThreads, 1) total_of_sums(const double *sums, int64_t blocks, double divisor, double *total) {
  SharedMemory shared;
  TS_SHARED(double, tile, kTotalTile);
  double sum = 0.0;
  for (int64_t first = 0; first < blocks; first += kTotalTile) {
    for (int i = static_cast<int>(threadIdx.x); i < kTotalTile; i += kTotalThreads)
      tile[i] = TS_GUARD(6, first + i < blocks) ? sums[first + i] : 0.0;
    TS_SYNC(7);
    if (threadIdx.x == 0)
      for (int i = 0; i < kTotalTile; i++) sum += tile[i];
    TS_SYNC(8);
  }
  if (threadIdx.x == 0) *total = sum / divisor;
}

}  // namespace tessera::cuda
