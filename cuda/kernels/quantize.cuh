// quantize_rows: out[n] = c[codes[n]], and errors[n] = sum over ascending d of (x - c)^2 in float64, each step one fma.
//
//   tile       32 rows a warp, in steps of 32 columns: loaded along rows, added along columns by a lane a row, since
//   the
//              contract's order leaves no other way
//   shared     8.6 KB (32 x 33 doubles; the odd pitch keeps columns in different banks)
//   registers  at most 80 (one warp a block)
//   work       16 + 12 D bytes and D float64 fmas a row; the codebook stays in L2
#pragma once

#include "kernels/intrinsics.cuh"

namespace tessera::cuda {

constexpr int kRowTile = 32;
constexpr int kRowPitch = kRowTile + 1;
constexpr int kRowTileSize = kRowTile * kRowPitch;

// out may be null. Rows with a code below 0 get zeros and the error 0.
TS_KERNEL(kRowTile, 20)
quantize_rows(const float *book, int64_t d, const float *x, const int32_t *codes, int64_t n, float *out,
              double *errors) {
  SharedMemory shared;
  TS_SHARED(double, tile, kRowTileSize);
  TS_SHARED(int, row_codes, kRowTile);
  const int lane = static_cast<int>(threadIdx.x);
  const int64_t first = int64_t{blockIdx.x} * kRowTile, mine = first + lane;
  const int code = TS_GUARD(1, mine < n) ? codes[mine] : -1;
  row_codes[lane] = code;
  TS_SYNC_WARP(2);
  double error = 0.0;
  for (int64_t begin = 0; begin < d; begin += kRowTile) {
    const int64_t column = begin + lane;
    TS_UNROLL_BY(8)
    for (int r = 0; r < kRowTile; r++) {
      const int64_t row_code = row_codes[r];
      float value = 0.0f, number = 0.0f;
      if (TS_GUARD(3, first + r < n && column < d)) {
        value = x[(first + r) * d + column];
        number = row_code >= 0 ? book[row_code * d + column] : 0.0f;
        if (out) out[(first + r) * d + column] = number;
      }
      tile[r * kRowPitch + lane] = static_cast<double>(value) - static_cast<double>(number);
    }
    TS_SYNC_WARP(4);
    TS_UNROLL
    for (int c = 0; c < kRowTile; c++) {
      const double difference = tile[lane * kRowPitch + c];
      error = fma(difference, difference, error);  // beyond the last column: + 0
    }
    TS_SYNC_WARP(5);
  }
  if (TS_GUARD(6, mine < n)) errors[mine] = code >= 0 ? error : 0.0;
}

}  // namespace tessera::cuda
