// scatter_update: counts and sums of the rows of each code, in tessera.h's one order of addition: for each code the
// rows ascending within blocks of 1024 rows of the batch, then the blocks ascending. The same bits as the CPU's. Rows
// are sorted by code first (sort_rows.cuh), so a code's rows lie in one ascending list; no float atomics, no partial
// sums a thread, memory O(N + K D).
//
// code_bounds      one thread a code: two binary searches of the sorted keys
// block_partials   a code with very many rows (heavy) would be one long chain: its blocks' sums are made side by side
//                  first. At least 32 rows a block on average make a code heavy, and D / 2, so that there are at most
//                  32 such codes and their block sums are at most 2 N numbers
// sum_rows         a power of two of lanes a code, at most 256, a column each; 8 rows are on their way while earlier
// ones
//                  are added
//                  registers  at most 56, no shared memory
//                  work       4 + 4 D bytes and D additions a row
#pragma once

#include "kernels/intrinsics.cuh"

namespace tessera::cuda {

constexpr int kScatterBlock = 1024;
constexpr int kScatterThreads = 256;
constexpr int kRowsAhead = 8;

// Rows a block of a heavy code, and how many heavy codes there can be.
TS_HOST_DEVICE constexpr int64_t heavy_rows(int64_t d) { return d / 2 > 32 ? d / 2 : 32; }
TS_HOST_DEVICE constexpr int64_t most_heavy(int64_t d) { return kScatterBlock / heavy_rows(d) + 1; }

// What is known of the sorted rows.
struct Segments {
  const uint32_t *keys, *rows;  // [n], by key
  uint32_t *starts;             // [k] a code's first place
  int32_t *counts;              // [k]
  int32_t *heavy;               // [k] its number among the heavy codes, or -1
  uint32_t *heavy_count;
  int32_t *heavy_codes;  // [most_heavy]
  int64_t n, k, d, blocks;
};

// The first place in [begin, end) whose value is at least `value`.
TS_DEVICE uint32_t lower_bound(const uint32_t *values, uint32_t begin, uint32_t end, uint32_t value) {
  while (begin < end) {
    const uint32_t middle = begin + (end - begin) / 2;
    if (values[middle] < value)
      begin = middle + 1;
    else
      end = middle;
  }
  return begin;
}

TS_KERNEL(kScatterThreads, 6) code_bounds(Segments s) {
  const int64_t code = int64_t{blockIdx.x} * kScatterThreads + threadIdx.x;
  if (!TS_GUARD(1, code < s.k)) return;
  const auto n = static_cast<uint32_t>(s.n), key = static_cast<uint32_t>(code);
  const uint32_t begin = lower_bound(s.keys, 0, n, key), end = lower_bound(s.keys, begin, n, key + 1);
  s.starts[code] = begin;
  s.counts[code] = static_cast<int32_t>(end - begin);
  s.heavy[code] = -1;
  if (s.blocks < 2 || int64_t{end - begin} < heavy_rows(s.d) * s.blocks) return;
  const uint32_t number = atomic_add(s.heavy_count, 1u);
  s.heavy[code] = static_cast<int32_t>(number);
  s.heavy_codes[number] = static_cast<int32_t>(code);
}

// The sum of a column over places [begin, end) of the sorted rows, block by block.
TS_DEVICE float sum_column(const Segments &s, const float *x, uint32_t begin, uint32_t end, int64_t column) {
  float total = 0.0f, partial = 0.0f;
  uint32_t block = 0;
  for (uint32_t first = begin; first < end; first += kRowsAhead) {
    float value[kRowsAhead];
    uint32_t row[kRowsAhead];
    TS_UNROLL
    for (int j = 0; j < kRowsAhead; j++) {
      const bool inside = TS_GUARD(2, first + j < end);
      row[j] = inside ? s.rows[first + j] : 0;
      value[j] = inside ? x[int64_t{row[j]} * s.d + column] : 0.0f;
    }
    // What lies beyond the end is +0 in block 0: it ends the last block's sum early, which is right, and adds nothing.
    TS_UNROLL
    for (int j = 0; j < kRowsAhead; j++) {
      if (row[j] / kScatterBlock != block) {
        total += partial;
        partial = 0.0f;
        block = row[j] / kScatterBlock;
      }
      partial += value[j];
    }
  }
  return total + partial;
}

// partials [heavy, blocks, d]: block (b, h) of the grid adds block b's rows of heavy code h.
TS_KERNEL(kScatterThreads, 4) block_partials(Segments s, const float *x, float *partials) {
  const uint32_t h = blockIdx.y, b = blockIdx.x;
  if (!TS_GUARD(4, h < *s.heavy_count)) return;
  const int32_t code = s.heavy_codes[h];
  const uint32_t start = s.starts[code], end = start + static_cast<uint32_t>(s.counts[code]);
  const uint32_t from = lower_bound(s.rows, start, end, b * kScatterBlock);
  const uint32_t to = lower_bound(s.rows, from, end, (b + 1) * kScatterBlock);
  for (int64_t column = threadIdx.x; column < s.d; column += blockDim.x)
    partials[(int64_t{h} * s.blocks + b) * s.d + column] = sum_column(s, x, from, to, column);
}

// sums [k, d]. A block without rows of a heavy code has the sum +0, which changes nothing: no sum is ever -0, since all
// begin at +0.
TS_KERNEL(kScatterThreads, 4) sum_rows(Segments s, const float *x, const float *partials, int lanes, float *sums) {
  const int codes = kScatterThreads / lanes, lane = static_cast<int>(threadIdx.x) % lanes;
  const int64_t code = int64_t{blockIdx.x} * codes + static_cast<int>(threadIdx.x) / lanes;
  if (!TS_GUARD(3, code < s.k)) return;
  const uint32_t start = s.starts[code], end = start + static_cast<uint32_t>(s.counts[code]);
  const int32_t h = s.heavy[code];
  for (int64_t column = lane; column < s.d; column += lanes) {
    float sum = 0.0f;
    if (h < 0) {
      sum = sum_column(s, x, start, end, column);
    } else {
      for (int64_t b = 0; b < s.blocks; b++) sum += partials[(h * s.blocks + b) * s.d + column];
    }
    sums[code * s.d + column] = sum;
  }
}

}  // namespace tessera::cuda
