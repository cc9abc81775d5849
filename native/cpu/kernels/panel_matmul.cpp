#include "cpu/kernels/panel_matmul.h"

#include <cstring>

#include "cpu/kernels/kernels.h"
#include "cpu/threads.h"

namespace tessera::cpu {
namespace {

constexpr int64_t kLine = 16;

int64_t up(int64_t n, int64_t step) { return (n + step - 1) / step * step; }
int64_t panels_of(int64_t columns) { return (columns + kPanel - 1) / kPanel; }
int64_t blocks_of(int64_t rows) { return (rows + kPanelRows - 1) / kPanelRows; }

struct Range {
  int64_t first, end;
  int64_t size() const { return end - first; }
};

// A thread's share of n things, in whole steps.
Range share(int64_t n, int64_t step, int thread, int threads) {
  const int64_t steps = (n + step - 1) / step;
  return {std::min(n, steps * thread / threads * step), std::min(n, steps * (thread + 1) / threads * step)};
}

// A product and who works on it.
struct Work {
  const Kernels &set;
  const ts_matmul_shape &s;
  const float *a, *b, *bias;
  float *c;

  // Where columns from `column` on of rows from `at` on of b lie.
  const float *b_at(int64_t at, int64_t column) const {
    return s.transpose_b ? b + column * s.k + at : b + at * s.n + column;
  }
  void pack(int64_t at, int64_t depth, int64_t column, int64_t columns, float *panel) const {
    set.pack_panel(b_at(at, column), s.transpose_b, s.transpose_b ? s.k : s.n, depth, columns, panel);
  }

  // All of a product but its left factor.
  PanelProduct product(int64_t at, int64_t depth, Range rows, Range columns, const float *panels) const {
    return {.a = nullptr,
            .a_row = 0,
            .a_step = 0,
            .a_block = 0,
            .b = panels,
            .bias = bias ? bias + columns.first : nullptr,
            .c = c + rows.first * s.n + columns.first,
            .c_row = s.n,
            .rows = rows.size(),
            .columns = columns.size(),
            .k = depth,
            .accumulate = s.accumulate || at > 0,
            .relu = s.activation == TS_ACTIVATION_RELU && at + depth == s.k,
            .ahead = {}};
  }
};

// a as it is: the panels of a chunk of k are packed, as many columns of it as a shared cache holds. Then threads take
// turns at rows, as many at once as stay in a second-level cache; those after them are fetched meanwhile.
struct RowsPlan {
  static constexpr int64_t kMostDepth = 1024, kPanelBytes = 4 * 1024 * 1024, kBlockBytes = 384 * 1024;

  RowsPlan(const ts_matmul_shape &s, int most_threads) {
    const int64_t chunks = (s.k + kMostDepth - 1) / kMostDepth;
    depth = (s.k + chunks - 1) / chunks;
    columns = std::min(s.n, std::max<int64_t>(1, kPanelBytes / 4 / depth / kPanel) * kPanel);
    const int64_t most = std::clamp<int64_t>(kBlockBytes / 4 / depth / kPanelRows, 4, 16) * kPanelRows;
    // Where there are too few rows, threads share the panels.
    by_panels = s.m < 8 * kPanelRows * most_threads && s.n > kPanel;
    threads = static_cast<int>(std::min<int64_t>(most_threads, by_panels ? panels_of(s.n) : blocks_of(s.m)));
    const int64_t turns = (s.m + most * threads - 1) / (most * threads);
    rows = by_panels ? most : (s.m + turns * threads - 1) / (turns * threads);
  }
  int64_t floats() const { return panels_of(columns) * depth * kPanel; }

  int64_t depth, columns, rows;
  int threads;
  bool by_panels;
};

void multiply_columns(const Work &w, const RowsPlan &plan, Range all, float *panels) {
  const ts_matmul_shape &s = w.s;
  for (int64_t at = 0; at < s.k; at += plan.depth) {
    const int64_t depth = std::min(plan.depth, s.k - at);
    for_blocks(plan.threads, panels_of(all.size()), [&](int, int64_t panel) {
      const int64_t column = all.first + panel * kPanel;
      w.pack(at, depth, column, std::min(kPanel, all.end - column), panels + panel * depth * kPanel);
    });
    const int64_t tasks = plan.by_panels ? plan.threads : (s.m + plan.rows - 1) / plan.rows;
    for_blocks(plan.threads, tasks, [&](int, int64_t task) {
      Range columns = all, mine = {0, s.m};
      if (plan.by_panels) {
        columns = share(all.size(), kPanel, static_cast<int>(task), plan.threads);
        columns = {all.first + columns.first, all.first + columns.end};
      } else {
        mine = {task * plan.rows, std::min((task + 1) * plan.rows, s.m)};
      }
      // Threads take turns, so that is where this one goes on.
      const int64_t step = plan.by_panels ? plan.rows : plan.rows * plan.threads;
      for (int64_t row = mine.first; row < mine.end; row += plan.rows) {
        const Range rows = {row, std::min(row + plan.rows, mine.end)};
        PanelProduct p = w.product(at, depth, rows, columns, panels + (columns.first - all.first) * depth);
        p.a = w.a + row * s.k + at, p.a_row = s.k, p.a_step = 1, p.a_block = kPanelRows * s.k;
        const int64_t next = std::min(row + step, s.m);
        p.ahead = {w.a + next * s.k + at, s.k, std::min(plan.rows, s.m - next), depth};
        w.set.panel_product(p);
      }
    });
  }
}

void multiply_rows(const Work &w, const RowsPlan &plan, float *panels) {
  for (int64_t column = 0; column < w.s.n; column += plan.columns)
    multiply_columns(w, plan, {column, std::min(column + plan.columns, w.s.n)}, panels);
}

// a transposed, which is a gradient by weights: k is long and c small. Each thread takes a part of c, and for each of
// its chunks of k packs one side whole and the other a block at a time, which is fetched while the one before is worked
// on.
struct PartsPlan {
  static constexpr int64_t kMostDepth = 392, kMostRows = 86 * kPanelRows, kMostColumns = 8 * kPanel;
  static constexpr int64_t kBlock = 16 * kPanelRows;  // rows at a time, where the panels are whole

  PartsPlan(const ts_matmul_shape &s, int most_threads) {
    const int64_t chunks = (s.k + kMostDepth - 1) / kMostDepth;
    depth = (s.k + chunks - 1) / chunks;
    by_panels = s.n > s.m;
    threads = static_cast<int>(std::min<int64_t>(most_threads, by_panels ? panels_of(s.n) : blocks_of(s.m)));
  }
  int64_t a_floats() const { return up(kMostRows * depth, kLine); }
  int64_t floats() const { return threads * (a_floats() + kMostColumns * depth); }

  int64_t depth;
  int threads;
  bool by_panels;
};

// Rows of the transpose of a [k, m], in blocks of kPanelRows: [rows / 6][k][6].
void pack_block(const float *a, int64_t m, int64_t k, int64_t rows, float *to) {
  for (int64_t i = 0; i < k; i++, a += m) {
    float *at = to + i * kPanelRows;
    int64_t r = 0;
    for (; r + kPanelRows <= rows; r += kPanelRows, at += k * kPanelRows)
      std::memcpy(at, a + r, kPanelRows * sizeof(float));
    if (r < rows) std::memcpy(at, a + r, static_cast<size_t>(rows - r) * sizeof(float));
  }
}

// c's part of `rows` and `columns`, at most as large as the plan says.
void multiply_part(const Work &w, const PartsPlan &plan, Range rows, Range columns, float *block, float *panels) {
  const ts_matmul_shape &s = w.s;
  const bool rows_whole = rows.size() <= columns.size();  // packed whole for each chunk
  auto a_ahead = [&](int64_t at, Range r) -> Ahead {
    return {w.a + at * s.m + r.first, s.m, std::max<int64_t>(0, std::min(plan.depth, s.k - at)), r.size()};
  };
  auto b_ahead = [&](int64_t at, Range r) -> Ahead {
    const int64_t depth = std::max<int64_t>(0, std::min(plan.depth, s.k - at));
    if (s.transpose_b) return {w.b_at(at, r.first), s.k, r.size(), depth};
    return {w.b_at(at, r.first), s.n, depth, r.size()};
  };
  auto multiply = [&](int64_t at, int64_t depth, Range r, const float *left, Range c, const float *right, Ahead ahead) {
    PanelProduct p = w.product(at, depth, r, c, right);
    p.a = left, p.a_row = 1, p.a_step = kPanelRows, p.a_block = kPanelRows * depth, p.ahead = ahead;
    w.set.panel_product(p);
  };
  for (int64_t at = 0; at < s.k; at += plan.depth) {
    const int64_t depth = std::min(plan.depth, s.k - at);
    if (rows_whole) {
      pack_block(w.a + at * s.m + rows.first, s.m, depth, rows.size(), block);
      for (int64_t column = columns.first; column < columns.end; column += kPanel) {
        const Range c = {column, std::min(column + kPanel, columns.end)};
        w.pack(at, depth, c.first, c.size(), panels);
        multiply(at, depth, rows, block, c, panels,
                 c.end < columns.end ? b_ahead(at, {c.end, std::min(c.end + kPanel, columns.end)})
                                     : a_ahead(at + depth, rows));
      }
      continue;
    }
    for (int64_t column = columns.first; column < columns.end; column += kPanel)
      w.pack(at, depth, column, std::min(kPanel, columns.end - column), panels + (column - columns.first) * depth);
    for (int64_t row = rows.first; row < rows.end; row += plan.kBlock) {
      const Range r = {row, std::min(row + plan.kBlock, rows.end)};
      pack_block(w.a + at * s.m + row, s.m, depth, r.size(), block);
      multiply(at, depth, r, block, columns, panels,
               r.end < rows.end ? a_ahead(at, {r.end, std::min(r.end + plan.kBlock, rows.end)})
                                : b_ahead(at + depth, columns));
    }
  }
}

void multiply_parts(const Work &w, const PartsPlan &plan, float *scratch) {
  for_blocks(plan.threads, plan.threads, [&](int, int64_t part) {
    const int t = static_cast<int>(part);
    const Range rows = plan.by_panels ? Range{0, w.s.m} : share(w.s.m, kPanelRows, t, plan.threads);
    const Range columns = plan.by_panels ? share(w.s.n, kPanel, t, plan.threads) : Range{0, w.s.n};
    float *block = scratch + t * (plan.a_floats() + plan.kMostColumns * plan.depth), *panels = block + plan.a_floats();
    for (int64_t row = rows.first; row < rows.end; row += plan.kMostRows)
      for (int64_t column = columns.first; column < columns.end; column += plan.kMostColumns)
        multiply_part(w, plan, {row, std::min(row + plan.kMostRows, rows.end)},
                      {column, std::min(column + plan.kMostColumns, columns.end)}, block, panels);
  });
}

}  // namespace

bool panels_suit(const Kernels &set, const ts_matmul_shape &s) {
#if defined(__x86_64__)
  // Packing must pay, and two parallel regions.
  if (&set != &kAvx512Kernels || s.n < 32 || s.k < 16) return false;
  const int64_t work = s.m * s.n * s.k;
  return s.transpose_a ? s.m >= 64 && work >= int64_t{1} << 24 : s.m >= 512 && work >= int64_t{1} << 26;
#else
  return false;
#endif
}

ts_status panel_matmul(const Kernels &set, Stream *stream, const ts_matmul_shape &s, const float *a, const float *b,
                       const float *bias, float *c) {
  const int threads = stream->threads;
  const RowsPlan by_rows(s, threads);
  const PartsPlan by_parts(s, threads);
  const int64_t floats = s.transpose_a ? by_parts.floats() : by_rows.floats();
  auto *scratch = static_cast<float *>(stream->scratch.reserve(static_cast<size_t>(floats) * sizeof(float)));
  if (!scratch)
    return host->fail(stream->report, TS_OUT_OF_MEMORY, "no memory to pack a matrix of %lld x %lld",
                      static_cast<long long>(s.k), static_cast<long long>(s.n));
  const Work work = {set, s, a, b, bias, c};
  if (s.transpose_a)
    multiply_parts(work, by_parts, scratch);
  else
    multiply_rows(work, by_rows, scratch);
  return TS_OK;
}

}  // namespace tessera::cpu
