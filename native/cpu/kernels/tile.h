// c [m, n] = (c +) a [m, k] b [k, n] in tiles of registers: every element is one chain of fma over ascending k, so its
// bits depend neither on m and n nor on the tile that it falls into.
//
// A tile is 6 rows by as many vectors as the registers hold: 4 of 32 AVX-512 registers a row (24 sums, 4 of b, 1 of a),
// 2 of 16 AVX2 registers. Per k it makes 24 (12) fma of 4 (2) loads and 6 broadcasts.
#pragma once

#include <cstdint>

#include "cpu/kernels/kernels.h"

namespace tessera::cpu {
namespace {

constexpr int kTileRows = kPanelRows;
constexpr int64_t kLineFloats = 16;
constexpr int kTileVectors = kLanes == 16 ? 4 : 2;

// Element (i, k) is at data[i row + k step].
struct Factor {
  const float *data;
  int64_t row, step;
};

// What a product is added to: rows of c's columns, `row` floats apart; data is null for zeros.
struct Start {
  const float *data;
  int64_t row;

  Start from_column(int64_t j) const { return {data ? data + j : nullptr, row}; }
};

// kHead: of the last vector only `last` columns are there.
template <int kRows, int kVectors, bool kHead>
inline void tile(int64_t k, const Factor &a, const float *b, int64_t b_row, float *c, int64_t c_row, Start start,
                 int64_t last) {
  Lanes sum[kRows][kVectors];
  // Unrolled, or the sums begin and end in memory.
#pragma GCC unroll 6
  for (int r = 0; r < kRows; r++)
#pragma GCC unroll 4
    for (int v = 0; v < kVectors; v++)
      sum[r][v] = !start.data                  ? all(0.0f)
                  : kHead && v == kVectors - 1 ? load_head(start.data + r * start.row + v * kLanes, last)
                                               : load(start.data + r * start.row + v * kLanes);
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
#pragma GCC unroll 6
  for (int r = 0; r < kRows; r++)
#pragma GCC unroll 4
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
                      Start start) {
  if (n > kVectors * kLanes) {
    if constexpr (kVectors < kTileVectors) left_over<kRows, kVectors + 1>(n, k, a, b, b_row, c, c_row, start);
    return;
  }
  const int64_t last = n - (kVectors - 1) * kLanes;
  if (last == kLanes)
    tile<kRows, kVectors, false>(k, a, b, b_row, c, c_row, start, 0);
  else
    tile<kRows, kVectors, true>(k, a, b, b_row, c, c_row, start, last);
}

template <int kRows>
inline void tile_row(int64_t n, int64_t k, const Factor &a, const float *b, int64_t b_row, float *c, int64_t c_row,
                     Start start) {
  constexpr int64_t kColumns = kTileVectors * kLanes;
  int64_t j = 0;
  for (; j + kColumns <= n; j += kColumns)
    tile<kRows, kTileVectors, false>(k, a, b + j, b_row, c + j, c_row, start.from_column(j), 0);
  if (j < n) left_over<kRows, 1>(n - j, k, a, b + j, b_row, c + j, c_row, start.from_column(j));
}

template <int kRows>
inline void last_rows(int64_t m, int64_t n, int64_t k, const Factor &a, const float *b, int64_t b_row, float *c,
                      int64_t c_row, Start start) {
  if constexpr (kRows > 0) {
    if (m == kRows)
      tile_row<kRows>(n, k, a, b, b_row, c, c_row, start);
    else
      last_rows<kRows - 1>(m, n, k, a, b, b_row, c, c_row, start);
  }
}

inline void multiply_tiles(int64_t m, int64_t n, int64_t k, Factor a, const float *b, int64_t b_row, float *c,
                           int64_t c_row, bool accumulate) {
  for (; m > 0; m -= kTileRows) {
    const Start start = {accumulate ? c : nullptr, c_row};
    last_rows<kTileRows>(m < kTileRows ? m : kTileRows, n, k, a, b, b_row, c, c_row, start);
    a.data += kTileRows * a.row;
    c += kTileRows * c_row;
  }
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

// Asks for memory that is needed soon: rows of a matrix, to read or to write. No processor foresees rows far apart.
inline void prefetch_to_read(const float *from, int64_t step, int64_t rows, int64_t n) {
  for (int64_t r = 0; r < rows; r++)
    for (int64_t i = 0; i < n; i += kLineFloats) __builtin_prefetch(from + r * step + i, 0, 2);
}
inline void prefetch_to_write(float *to, int64_t step, int64_t rows, int64_t n) {
  for (int64_t r = 0; r < rows; r++)
    for (int64_t i = 0; i < n; i += kLineFloats) __builtin_prefetch(to + r * step + i, 1, 2);
}

// Asks for memory a few lines at a time, so that fetching and computing go on together.
class Fetch {
 public:
  Fetch(const Ahead &ahead, int64_t turns) : ahead_(ahead) {
    const int64_t lines = ahead.rows * ((ahead.floats + kLineFloats - 1) / kLineFloats);
    lines_ = (lines + turns - 1) / turns;
  }

  void turn() {
    for (int64_t i = 0; i < lines_ && row_ < ahead_.rows; i++) {
      __builtin_prefetch(ahead_.from + row_ * ahead_.step + at_, 0, 2);
      if ((at_ += kLineFloats) < ahead_.floats) continue;
      at_ = 0;
      row_++;
    }
  }

 private:
  Ahead ahead_;
  int64_t lines_, row_ = 0, at_ = 0;
};

// A panel stays in a near cache while all rows of a go by.
void panel_product(const PanelProduct &p) {
  Fetch ahead(p.ahead, (p.rows + kPanelRows - 1) / kPanelRows * ((p.columns + kPanel - 1) / kPanel));
  const float *b = p.b;
  for (int64_t column = 0; column < p.columns; column += kPanel, b += p.k * kPanel) {
    const int64_t columns = p.columns - column < kPanel ? p.columns - column : kPanel;
    const float *a = p.a;
    float *c = p.c + column;
    for (int64_t r = 0; r < p.rows; r += kPanelRows, a += p.a_block, c += kPanelRows * p.c_row) {
      const int64_t here = p.rows - r < kPanelRows ? p.rows - r : kPanelRows;
      if (r + 3 * kPanelRows <= p.rows) prefetch_to_write(c + 2 * kPanelRows * p.c_row, p.c_row, kPanelRows, columns);
      ahead.turn();
      const Start start = p.accumulate ? Start{c, p.c_row} : Start{p.bias ? p.bias + column : nullptr, 0};
      last_rows<kTileRows>(here, columns, p.k, {a, p.a_row, p.a_step}, b, kPanel, c, p.c_row, start);
      if (!p.relu) continue;
      for (int64_t i = 0; i < here; i++)
        for (int64_t j = 0; j < columns; j++) {
          float &x = c[i * p.c_row + j];
          x = x < 0.0f ? 0.0f : x;  // a NaN passes
        }
    }
  }
}

// Columns [first, first + columns) of b [k, n], or of the transpose of b [n, k], into a panel; missing ones are zeros.
void pack_panel(const float *b, bool transposed, int64_t row, int64_t k, int64_t columns, float *panel) {
  if (!transposed) {
    for (int64_t i = 0; i < k; i++, b += row, panel += kPanel) {
      int64_t j = 0;
      for (; j + kLanes <= columns; j += kLanes) store(panel + j, load(b + j));
      for (; j < kPanel; j++) panel[j] = j < columns ? b[j] : 0.0f;
    }
    return;
  }
  const int64_t whole_k = k / kLanes * kLanes, whole_columns = columns / kLanes * kLanes;
  for (int64_t j = 0; j < whole_columns; j += kLanes)
    for (int64_t i = 0; i < whole_k; i += kLanes) transpose_block(b + j * row + i, row, panel + i * kPanel + j, kPanel);
  for (int64_t i = 0; i < k; i++)
    for (int64_t j = i < whole_k ? whole_columns : 0; j < kPanel; j++)
      panel[i * kPanel + j] = j < columns ? b[j * row + i] : 0.0f;
}

}  // namespace
}  // namespace tessera::cpu
