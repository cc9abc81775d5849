// vq_restart: codes that are hardly chosen any more begin again at rows of the batch (Jukebox, Dhariwal et al. 2020),
// drawn by Philox as tessera.h says: the CPU's bits.
//
//   tile       a warp a code, 8 codes a block of 256 threads
//   registers  at most 40, no shared memory
//   work       8 bytes a number of a code that stays, 12 of one that begins again: bound by memory
#pragma once

#include "kernels/random.cuh"

namespace tessera::cuda {

constexpr int kRestartThreads = 256;
constexpr int kRestartCodes = kRestartThreads / 32;  // of a block
constexpr uint32_t kRestartStream = 0x52535452;      // of random numbers

struct Restart {
  PhiloxKey key;
  double debias, threshold;
  float fresh_count;
  int64_t k, d;
  const float *x;  // [n, d]
  int64_t n;
  float *hidden_counts;    // [k]
  float *hidden_sums;      // [k, d]
  const float *old_codes;  // [k, d]
  float *new_codes;        // [k, d]
  int32_t *restarted;      // [1] begins as 0
};

TS_KERNEL(kRestartThreads, 6) restart_codes(Restart r) {
  const int lane = static_cast<int>(threadIdx.x) % 32;
  const int64_t code = int64_t{blockIdx.x} * kRestartCodes + static_cast<int>(threadIdx.x) / 32;
  if (!TS_GUARD(1, code < r.k)) return;
  const bool dead = static_cast<double>(r.hidden_counts[code]) * r.debias < r.threshold;
  const float *source = r.old_codes + code * r.d;
  float *sums = r.hidden_sums + code * r.d, *target = r.new_codes + code * r.d;
  if (dead) {
    const uint64_t word = philox(static_cast<uint32_t>(code), r.key).x;
    source = r.x + static_cast<int64_t>(word * static_cast<uint64_t>(r.n) >> 32) * r.d;
  }
  TS_SYNC_WARP(2);  // all lanes have read the count
  if (dead && lane == 0) {
    r.hidden_counts[code] = r.fresh_count;
    atomic_add(r.restarted, 1);
  }
  for (int64_t i = lane; i < r.d; i += 32) {
    const float value = source[i];
    target[i] = value;
    if (dead) sums[i] = value * r.fresh_count;
  }
}

}  // namespace tessera::cuda
