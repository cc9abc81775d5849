// The contract itself, for the rows that a screen left open: float64 distances to all codes, each sum over ascending d
// with one fma a step; of equal sums the lowest code.
//
//   tile       4 rows x 256 codes a turn, a code a thread; 16 numbers of each at a time in shared memory
//   shared     17 KB
//   registers  at most 80
//   work       K D float64 fmas a row, which is why few rows should come here
#pragma once

#include "kernels/intrinsics.cuh"

namespace tessera::cuda {

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

TS_DEVICE Nearest nearer(Nearest a, Nearest b) {
  return b.distance < a.distance || (b.distance == a.distance && b.code < a.code) ? b : a;
}

// list [*listed]: the rows to do. Blocks take what is left over.
TS_KERNEL(kExactThreads, 3)
scan_codes(const float *book, int64_t k, int64_t d, const float *x, const uint32_t *listed, const int32_t *list,
           int32_t *codes) {
  SharedMemory shared;
  TS_SHARED(float, code_tile, kExactCodeTile);    // [number, code]
  TS_SHARED(float, row_tile, kExactRowTile);      // [row, number]
  TS_SHARED(Nearest, best_of_warps, kExactBest);  // [row, warp]
  const int thread = static_cast<int>(threadIdx.x), warp = thread / 32;
  const int64_t count = *listed;
  for (int64_t first = int64_t{blockIdx.x} * kExactRows; first < count; first += int64_t{gridDim.x} * kExactRows) {
    Nearest best[kExactRows];
    TS_UNROLL
    for (int r = 0; r < kExactRows; r++) best[r] = {INFINITY, 0x7FFFFFFF};
    for (int64_t first_code = 0; first_code < k; first_code += kExactThreads) {
      double distance[kExactRows] = {};
      for (int64_t depth = 0; depth < d; depth += kExactDepth) {
        // Beyond the last number and the last code: zeros, which add nothing or are not looked at.
        TS_UNROLL_BY(4)
        for (int j = 0; j < kExactDepth; j++) {
          const int at = j * kExactThreads + thread, number = at % kExactDepth, code = at / kExactDepth;
          const bool inside = TS_GUARD(1, first_code + code < k && depth + number < d);
          code_tile[number * kExactPitch + code] = inside ? book[(first_code + code) * d + depth + number] : 0.0f;
        }
        if (thread < kExactRowTile) {
          const int r = thread / kExactDepth, number = thread % kExactDepth;
          const bool inside = TS_GUARD(2, first + r < count && depth + number < d);
          row_tile[thread] = inside ? x[int64_t{list[first + r]} * d + depth + number] : 0.0f;
        }
        TS_SYNC(3);
        TS_UNROLL_BY(4)
        for (int i = 0; i < kExactDepth; i++) {
          const double code = static_cast<double>(code_tile[i * kExactPitch + thread]);
          TS_UNROLL
          for (int r = 0; r < kExactRows; r++) {
            const double difference = static_cast<double>(row_tile[r * kExactDepth + i]) - code;
            distance[r] = fma(difference, difference, distance[r]);
          }
        }
        TS_SYNC(4);
      }
      if (TS_GUARD(5, first_code + thread < k)) {
        TS_UNROLL
        for (int r = 0; r < kExactRows; r++)
          best[r] = nearer(best[r], {distance[r], static_cast<int32_t>(first_code) + thread});
      }
    }
    TS_UNROLL
    for (int r = 0; r < kExactRows; r++) {
      TS_UNROLL
      for (int mask = 16; mask > 0; mask /= 2)
        best[r] = nearer(best[r], {shuffle_xor(best[r].distance, mask), shuffle_xor(best[r].code, mask)});
      if (thread % 32 == 0) best_of_warps[r * kExactWarps + warp] = best[r];
    }
    TS_SYNC(6);
    if (thread < kExactRows && TS_GUARD(7, first + thread < count)) {
      Nearest nearest = best_of_warps[thread * kExactWarps];
      for (int w = 1; w < kExactWarps; w++) nearest = nearer(nearest, best_of_warps[thread * kExactWarps + w]);
      // Distances to codes that are not finite are never nearest; with no other code there is none.
      codes[list[first + thread]] = nearest.code < k ? nearest.code : -1;
    }
    // The next rows' first barrier comes before best_of_warps is written again.
  }
}

}  // namespace tessera::cuda
