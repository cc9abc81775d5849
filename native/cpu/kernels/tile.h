// c [m, n] = (c +) a [m, k] b [k, n] in tiles of registers: every element is one chain of fma over ascending k, so its
// bits depend neither on m and n nor on the tile that it falls into.
//
// A tile is 6 rows by as many vectors as the registers hold: 4 of 32 AVX-512 registers a row (24 sums, 4 of b, 1 of a),
// 2 of 16 AVX2 registers. Per k it makes 24 (12) fma of 4 (2) loads and 6 broadcasts.
#pragma once

#include <cstdint>

namespace tessera::cpu {
namespace {

constexpr int kTileRows = 6;
constexpr int kTileVectors = kLanes == 16 ? 4 : 2;

// Element (i, k) is at data[i row + k step].
struct Factor {
  const float *data;
  int64_t row, step;
};

// kHead: of the last vector only `last` columns are there.
template <int kRows, int kVectors, bool kHead>
inline void tile(int64_t k, const Factor &a, const float *b, int64_t b_row, float *c, int64_t c_row, bool accumulate,
                 int64_t last) {
  Lanes sum[kRows][kVectors];
  for (int r = 0; r < kRows; r++)
    for (int v = 0; v < kVectors; v++)
      sum[r][v] = !accumulate                  ? all(0.0f)
                  : kHead && v == kVectors - 1 ? load_head(c + r * c_row + v * kLanes, last)
                                               : load(c + r * c_row + v * kLanes);
  for (int64_t i = 0; i < k; i++) {
    Lanes right[kVectors];
#pragma GCC unroll 4
    for (int v = 0; v < kVectors; v++)
      right[v] =
          kHead && v == kVectors - 1 ? load_head(b + i * b_row + v * kLanes, last) : load(b + i * b_row + v * kLanes);
#pragma GCC unroll 6
    for (int r = 0; r < kRows; r++) {
      const Lanes left = all(a.data[r * a.row + i * a.step]);
#pragma GCC unroll 4
      for (int v = 0; v < kVectors; v++) sum[r][v] = fused(left, right[v], sum[r][v]);
    }
  }
  for (int r = 0; r < kRows; r++)
    for (int v = 0; v < kVectors; v++) {
      if (kHead && v == kVectors - 1)
        store_head(c + r * c_row + v * kLanes, last, sum[r][v]);
      else
        store(c + r * c_row + v * kLanes, sum[r][v]);
    }
}

// Columns that are left over after whole tiles: 1 to kTileVectors vectors, the last one perhaps not whole.
template <int kRows, int kVectors>
inline void left_over(int64_t n, int64_t k, const Factor &a, const float *b, int64_t b_row, float *c, int64_t c_row,
                      bool accumulate) {
  if (n > kVectors * kLanes) {
    if constexpr (kVectors < kTileVectors) left_over<kRows, kVectors + 1>(n, k, a, b, b_row, c, c_row, accumulate);
    return;
  }
  const int64_t last = n - (kVectors - 1) * kLanes;
  if (last == kLanes)
    tile<kRows, kVectors, false>(k, a, b, b_row, c, c_row, accumulate, 0);
  else
    tile<kRows, kVectors, true>(k, a, b, b_row, c, c_row, accumulate, last);
}

template <int kRows>
inline void tile_row(int64_t n, int64_t k, const Factor &a, const float *b, int64_t b_row, float *c, int64_t c_row,
                     bool accumulate) {
  constexpr int64_t kColumns = kTileVectors * kLanes;
  int64_t j = 0;
  for (; j + kColumns <= n; j += kColumns)
    tile<kRows, kTileVectors, false>(k, a, b + j, b_row, c + j, c_row, accumulate, 0);
  if (j < n) left_over<kRows, 1>(n - j, k, a, b + j, b_row, c + j, c_row, accumulate);
}

template <int kRows>
inline void last_rows(int64_t m, int64_t n, int64_t k, const Factor &a, const float *b, int64_t b_row, float *c,
                      int64_t c_row, bool accumulate) {
  if constexpr (kRows > 0) {
    if (m == kRows)
      tile_row<kRows>(n, k, a, b, b_row, c, c_row, accumulate);
    else
      last_rows<kRows - 1>(m, n, k, a, b, b_row, c, c_row, accumulate);
  }
}

inline void multiply_tiles(int64_t m, int64_t n, int64_t k, Factor a, const float *b, int64_t b_row, float *c,
                           int64_t c_row, bool accumulate) {
  for (; m >= kTileRows; m -= kTileRows) {
    tile_row<kTileRows>(n, k, a, b, b_row, c, c_row, accumulate);
    a.data += kTileRows * a.row;
    c += kTileRows * c_row;
  }
  last_rows<kTileRows - 1>(m, n, k, a, b, b_row, c, c_row, accumulate);
}

void sequential_product(const SequentialProduct &p, int64_t first, int64_t rows, int64_t column, int64_t columns) {
  float *c = p.c + first * p.n + column;
  multiply_tiles(rows, columns, p.k, {p.a + first * p.k, p.k, 1}, p.b + column, p.n, c, p.n, false);
  if (!p.bias && !p.relu) return;
  for (int64_t i = 0; i < rows; i++, c += p.n)
    for (int64_t j = 0; j < columns; j++) {
      const float value = p.bias ? c[j] + p.bias[column + j] : c[j];
      c[j] = p.relu && value < 0.0f ? 0.0f : value;  // a NaN passes
    }
}

}  // namespace
}  // namespace tessera::cpu
