// A stable sort of row numbers by code: a radix sort, least significant digit first, 8 bits a pass. What scatter_update
// needs of it is stability (rows of a code stay ascending) and memory of O(N).
//
//   count_digits   tile 2048 rows a block, 256 threads; a histogram of 256 digits in shared memory (1 KB); 4 bytes a
//   row scan_digits    one block a digit: the places of its tiles before each other; 4 bytes a tile and digit
//   place_rows     tile as above; each warp counts its 256 rows alone (8 KB), then all warps' counts are added up, then
//                  each warp places its rows in order, 32 at a time, by who else has the same digit; at most 64
//                  registers; 16 bytes a row
#pragma once

#include "kernels/fault.cuh"

namespace tessera::cuda {

constexpr int kSortThreads = 256;
constexpr int kSortWarps = kSortThreads / 32;
constexpr int kSortTile = 2048;
constexpr int kSortWarpRows = kSortTile / kSortWarps;
constexpr int kSortRounds = kSortWarpRows / 32;
constexpr int kDigits = 256;
constexpr int kDigitBits = 8;

// What is sorted in a pass: keys with their rows, or in the first pass the codes, whose rows are their places. A code
// out of range gets the key k, behind all codes.
struct SortInput {
  const int32_t *codes;  // null after the first pass
  const uint32_t *keys, *rows;
  uint32_t k;
  int32_t shift;  // of the pass's digit

  TS_DEVICE uint32_t key(int64_t i) const {
    if (!codes) return keys[i];
    const auto code = static_cast<uint32_t>(codes[i]);
    return code < k ? code : k;
  }
  TS_DEVICE uint32_t row(int64_t i) const { return codes ? static_cast<uint32_t>(i) : rows[i]; }
  TS_DEVICE unsigned digit_of(uint32_t key) const { return key >> shift & static_cast<unsigned>(kDigits - 1); }
  TS_DEVICE unsigned digit(int64_t i) const { return digit_of(key(i)); }
};

// counts[digit * tiles + tile]. In the first pass codes out of range are reported, if the slot has a record.
TS_KERNEL(kSortThreads, 6) count_digits(SortInput input, int64_t n, int tiles, uint32_t *counts, FaultSlot fault) {
  SharedMemory shared;
  TS_SHARED(uint32_t, histogram, kDigits);
  histogram[threadIdx.x] = 0;
  TS_SYNC(1);
  const int64_t first = int64_t{blockIdx.x} * kSortTile;
  for (int64_t i = first + threadIdx.x; i < first + kSortTile; i += kSortThreads) {
    if (!TS_GUARD(2, i < n)) break;
    atomic_add(&histogram[input.digit(i)], 1u);
    if (fault.record && input.codes && input.key(i) == input.k) report_fault(fault, i);
  }
  TS_SYNC(3);
  counts[int64_t{threadIdx.x} * tiles + blockIdx.x] = histogram[threadIdx.x];
}

// The sum of the values of the threads before this one; *total gets the sum of all. `sums` is shared, one a warp.
TS_DEVICE uint32_t sum_before(uint32_t value, uint32_t *sums, uint32_t *total) {
  const unsigned lane = threadIdx.x % 32, warp = threadIdx.x / 32;
  uint32_t sum = value;
  TS_UNROLL
  for (unsigned delta = 1; delta < 32; delta *= 2) {
    const uint32_t below = shuffle_up(sum, delta);
    if (lane >= delta) sum += below;
  }
  if (lane == 31) sums[warp] = sum;
  TS_SYNC(4);
  uint32_t before = 0, all = 0;
  TS_UNROLL
  for (unsigned w = 0; w < kSortWarps; w++) {
    if (w < warp) before += sums[w];
    all += sums[w];
  }
  TS_SYNC(5);
  *total = all;
  return before + sum - value;
}

// For the block's digit: counts become the number of rows with it in earlier tiles; totals[digit] that of all.
TS_KERNEL(kSortThreads, 6) scan_digits(int tiles, uint32_t *counts, uint32_t *totals) {
  SharedMemory shared;
  TS_SHARED(uint32_t, sums, kSortWarps);
  uint32_t *mine = counts + int64_t{blockIdx.x} * tiles, carry = 0;
  for (int first = 0; first < tiles; first += kSortThreads) {
    const int tile = first + static_cast<int>(threadIdx.x);
    const bool inside = TS_GUARD(6, tile < tiles);
    uint32_t total;
    const uint32_t before = sum_before(inside ? mine[tile] : 0, sums, &total);
    if (inside) mine[tile] = carry + before;
    carry += total;
  }
  if (threadIdx.x == 0) totals[blockIdx.x] = carry;
}

// Writes keys and rows to their places by this pass's digit. With less than 64 registers some architectures spill.
TS_KERNEL(kSortThreads, 4)
place_rows(SortInput input, int64_t n, int tiles, const uint32_t *counts, const uint32_t *totals, uint32_t *keys,
           uint32_t *rows) {
  SharedMemory shared;
  TS_SHARED(uint32_t, sums, kSortWarps);
  TS_SHARED(uint32_t, next, kSortWarps * kDigits);  // [warp, digit] the place of the warp's next row with the digit
  const unsigned lane = threadIdx.x % 32, warp = threadIdx.x / 32, digit = threadIdx.x;
  const int64_t first = int64_t{blockIdx.x} * kSortTile + warp * kSortWarpRows;
  for (int i = static_cast<int>(threadIdx.x); i < kSortWarps * kDigits; i += kSortThreads) next[i] = 0;
  TS_SYNC(7);
  uint32_t *mine = next + warp * kDigits;
  for (int64_t i = first + lane; i < first + kSortWarpRows; i += 32)
    if (TS_GUARD(8, i < n)) atomic_add(&mine[input.digit(i)], 1u);
  // A thread a digit: after all rows with lower digits, those of earlier tiles, and those of earlier warps, whose
  // counts are complete after the barriers of sum_before.
  uint32_t total;
  uint32_t place = sum_before(totals[digit], sums, &total) + counts[int64_t{digit} * tiles + blockIdx.x];
  TS_UNROLL
  for (int w = 0; w < kSortWarps; w++) {
    const uint32_t rows_of_warp = next[w * kDigits + digit];
    next[w * kDigits + digit] = place;
    place += rows_of_warp;
  }
  TS_SYNC(9);
  // Who has the same digit does not depend on the places, so all loads are on their way together.
  uint32_t key[kSortRounds];
  unsigned same[kSortRounds];
  TS_UNROLL
  for (int r = 0; r < kSortRounds; r++) {
    const int64_t i = first + 32 * r + lane;
    const bool inside = TS_GUARD(10, i < n);
    key[r] = inside ? input.key(i) : 0;
    same[r] = match_any(inside ? input.digit_of(key[r]) : static_cast<unsigned>(kDigits));
  }
  TS_UNROLL
  for (int r = 0; r < kSortRounds; r++) {
    const int64_t i = first + 32 * r + lane;
    const unsigned row_digit = input.digit_of(key[r]), below = same[r] & ((1u << lane) - 1);
    const bool inside = TS_GUARD(11, i < n);
    if (inside) {
      const uint32_t to = mine[row_digit] + static_cast<uint32_t>(count_ones(below));
      keys[to] = key[r];
      rows[to] = input.row(i);
    }
    TS_SYNC_WARP(12);
    if (inside && below == 0) mine[row_digit] += static_cast<uint32_t>(count_ones(same[r]));
    TS_SYNC_WARP(13);
  }
}

}  // namespace tessera::cuda
