// The contract itself: float64 distances, each sum over ascending d with one fma a step; of equal sums the lowest code.
//
// rescore_rows   rows that several codes are left of: those codes
//                tile       a warp a row, 32 codes at a time, a code a lane
//                registers  at most 48, no shared memory
//                work       4 D bytes and D float64 fma a code that is left, 12 bytes and 50 instructions a row
// scan_rows      rows whose bounds are useless: all codes
//                tile       4 rows x 256 codes a turn, a code a thread; 16 numbers of each at a time in shared memory
//                shared     17 KB
//                registers  at most 80
//                work       K D float64 fma a row, which is why few rows should come here
#pragma once

#include "kernels/assign.cuh"

namespace tessera::cuda {

constexpr int kRescoreThreads = 128;
constexpr int kExactThreads = 256;
constexpr int kExactRows = 4;
constexpr int kExactDepth = 16;
constexpr int kExactPitch = kExactThreads + 1;
constexpr int kExactWarps = kExactThreads / 32;
constexpr int kExactCodeTile = kExactDepth * kExactPitch;
constexpr int kExactRowTile = kExactRows * kExactDepth;
constexpr int kExactBest = kExactRows * kExactWarps;

struct Nearest {
  double distance;
  int32_t code;
};

constexpr size_t exact_shared_bytes() {
  return shared_bytes<float>(kExactCodeTile) + shared_bytes<float>(kExactRowTile) + shared_bytes<Nearest>(kExactBest);
}

// The code of an infinite distance.
constexpr int32_t kNoCode = 0x7FFFFFFF;

TS_DEVICE Nearest nearer(Nearest a, Nearest b) {
  return b.distance < a.distance || (b.distance == a.distance && b.code < a.code) ? b : a;
}

TS_DEVICE Nearest nearest_of_warp(Nearest nearest) {
  TS_UNROLL
  for (int mask = 16; mask > 0; mask /= 2)
    nearest = nearer(nearest, {shuffle_xor(nearest.distance, mask), shuffle_xor(nearest.code, mask)});
  return nearest;
}

// Rows work.uncertain [work.counts[0]]; narrow_rows has left work.found[row] groups in the row's first two lists, with
// masks of their codes.
TS_KERNEL(kRescoreThreads, 8) rescore_rows(CodebookView book, const float *x, SearchWork work, int32_t *codes) {
  const int lane = static_cast<int>(threadIdx.x) % 32, warps = kRescoreThreads / 32;
  const int count = static_cast<int>(work.counts[0]);
  for (int i = static_cast<int>(blockIdx.x) * warps + static_cast<int>(threadIdx.x) / 32; i < count;
       i += static_cast<int>(gridDim.x) * warps) {
    const int row = work.uncertain[i], groups = work.found[row];
    const float *y = x + row * book.d;
    Nearest nearest = {INFINITY, kNoCode};
    for (int first = 0; first < groups; first += 32 / kGroup) {
      const int group = first + lane / kGroup;
      if (!TS_GUARD(1, group < groups)) continue;
      const uint2 left = work.lists[(int64_t{group / kListed} * work.padded + row) * kListed + group % kListed];
      if (!(left.y >> lane % kGroup & 1)) continue;
      const int32_t code = static_cast<int32_t>(left.x) * kGroup + lane % kGroup;
      const float *c = book.codes + code * book.d;
      double distance = 0.0;
      for (int64_t j = 0; j < book.d; j++) {
        const double difference = static_cast<double>(y[j]) - static_cast<double>(c[j]);
        distance = fma(difference, difference, distance);
      }
      nearest = nearer(nearest, {distance, code});
    }
    nearest = nearest_of_warp(nearest);
    if (lane == 0) codes[row] = nearest.code;
  }
}

// Rows work.scanned [work.counts[1]]. Blocks take what is left over.
TS_KERNEL(kExactThreads, 3) scan_rows(CodebookView book, const float *x, SearchWork work, int32_t *codes) {
  SharedMemory shared;
  TS_SHARED(float, code_tile, kExactCodeTile);    // [number, code]
  TS_SHARED(float, row_tile, kExactRowTile);      // [row, number]
  TS_SHARED(Nearest, best_of_warps, kExactBest);  // [row, warp]
  const int thread = static_cast<int>(threadIdx.x), warp = thread / 32;
  const int *const list = work.scanned;
  const int64_t count = work.counts[1], k = book.k, d = book.d;
  for (int64_t first = int64_t{blockIdx.x} * kExactRows; first < count; first += int64_t{gridDim.x} * kExactRows) {
    Nearest best[kExactRows];
    TS_UNROLL
    for (int r = 0; r < kExactRows; r++) best[r] = {INFINITY, kNoCode};
    for (int64_t first_code = 0; first_code < k; first_code += kExactThreads) {
      double distance[kExactRows] = {};
      for (int64_t depth = 0; depth < d; depth += kExactDepth) {
        // Beyond the last number and the last code: zeros, which add nothing or are not looked at.
        TS_UNROLL_BY(4)
        for (int j = 0; j < kExactDepth; j++) {
          const int at = j * kExactThreads + thread, number = at % kExactDepth, code = at / kExactDepth;
          const bool inside = TS_GUARD(2, first_code + code < k && depth + number < d);
          code_tile[number * kExactPitch + code] = inside ? book.codes[(first_code + code) * d + depth + number] : 0.0f;
        }
        if (thread < kExactRowTile) {
          const int r = thread / kExactDepth, number = thread % kExactDepth;
          const bool inside = TS_GUARD(3, first + r < count && depth + number < d);
          row_tile[thread] = inside ? x[int64_t{list[first + r]} * d + depth + number] : 0.0f;
        }
        TS_SYNC(4);
        TS_UNROLL_BY(4)
        for (int i = 0; i < kExactDepth; i++) {
          const double code = static_cast<double>(code_tile[i * kExactPitch + thread]);
          TS_UNROLL
          for (int r = 0; r < kExactRows; r++) {
            const double difference = static_cast<double>(row_tile[r * kExactDepth + i]) - code;
            distance[r] = fma(difference, difference, distance[r]);
          }
        }
        TS_SYNC(5);
      }
      if (TS_GUARD(6, first_code + thread < k)) {
        TS_UNROLL
        for (int r = 0; r < kExactRows; r++)
          best[r] = nearer(best[r], {distance[r], static_cast<int32_t>(first_code) + thread});
      }
    }
    TS_UNROLL
    for (int r = 0; r < kExactRows; r++) {
      best[r] = nearest_of_warp(best[r]);
      if (thread % 32 == 0) best_of_warps[r * kExactWarps + warp] = best[r];
    }
    TS_SYNC(7);
    if (thread < kExactRows && TS_GUARD(8, first + thread < count)) {
      Nearest nearest = best_of_warps[thread * kExactWarps];
      for (int w = 1; w < kExactWarps; w++) nearest = nearer(nearest, best_of_warps[thread * kExactWarps + w]);
      // Distances to codes that are not finite are never nearest; with no other code there is none.
      codes[list[first + thread]] = nearest.code < k ? nearest.code : -1;
    }
    // The next rows' first barrier comes before best_of_warps is written again.
  }
}

}  // namespace tessera::cuda
