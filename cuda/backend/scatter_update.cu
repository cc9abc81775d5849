#include <algorithm>
#include <limits>

#include "backend/carver.h"
#include "backend/ops.h"
#include "backend/scatter_update.h"
#include "kernels/scatter_update.cuh"
#include "kernels/sort_rows.cuh"

namespace tessera::cuda {
namespace {

// What the sort and the sums work in. Each pass of the sort reads one pair of keys and rows and writes the other.
struct Work {
  uint32_t *keys[2], *rows[2];  // [n]
  uint32_t *digit_counts;       // [digits, tiles]
  uint32_t *digit_totals;       // [digits]
  uint32_t *starts;             // [k]
  int32_t *heavy;               // [k]
  uint32_t *heavy_count;        // [1]
  int32_t *heavy_codes;         // [most heavy]
  float *partials;              // [most heavy, blocks, d]

  Work(Carver &carve, int64_t n, int64_t k, int64_t d, int64_t tiles, int64_t blocks) {
    for (int i = 0; i < 2; i++) {
      keys[i] = carve.take<uint32_t>(n);
      rows[i] = carve.take<uint32_t>(n);
    }
    digit_counts = carve.take<uint32_t>(kDigits * tiles);
    digit_totals = carve.take<uint32_t>(kDigits);
    starts = carve.take<uint32_t>(k);
    heavy = carve.take<int32_t>(k);
    heavy_count = carve.take<uint32_t>(1);
    heavy_codes = carve.take<int32_t>(most_heavy(d));
    partials = carve.take<float>(blocks > 1 ? most_heavy(d) * blocks * d : 0);
  }
};

// Sorts rows by code; the result is in keys[*result] and rows[*result].
ts_status sort_rows(Stream *s, const Work &w, const int32_t *codes, int64_t n, int64_t k, FaultSlot fault,
                    int *result) {
  const auto tiles = static_cast<int>(ceil_div<int64_t>(n, kSortTile));
  int bits = 1;  // of the largest key, which is k
  while (k >> bits) bits++;
  int to = 0;
  for (int shift = 0; shift < bits; shift += kDigitBits, to ^= 1) {
    const SortInput input = {shift == 0 ? codes : nullptr, w.keys[to ^ 1], w.rows[to ^ 1], static_cast<uint32_t>(k),
                             shift};
    const auto grid = static_cast<unsigned>(tiles);
    TS_TRY(TS_LAUNCH_ON(s, "sort", count_digits, grid, kSortThreads, shared_bytes<uint32_t>(kDigits), input, n, tiles,
                        w.digit_counts, fault));
    TS_TRY(TS_LAUNCH_ON(s, "sort", scan_digits, kDigits, kSortThreads, shared_bytes<uint32_t>(kSortWarps), tiles,
                        w.digit_counts, w.digit_totals));
    TS_TRY(TS_LAUNCH_ON(s, "sort", place_rows, grid, kSortThreads,
                        shared_bytes<uint32_t>(kSortWarps) + shared_bytes<uint32_t>(kSortWarps * kDigits), input, n,
                        tiles, w.digit_counts, w.digit_totals, w.keys[to], w.rows[to]));
    *result = to;
  }
  return TS_OK;
}

}  // namespace

ts_status check_rows(Stream *s, int64_t n, const char *op) {
  constexpr int64_t kMost = std::numeric_limits<int32_t>::max();
  if (n <= kMost) return TS_OK;
  return host->fail(s->report, TS_INVALID_ARGUMENT, "ts_%s: x has %lld rows but must have at most %lld on a GPU", op,
                    static_cast<long long>(n), static_cast<long long>(kMost));
}

ts_status scatter_rows(Stream *s, const float *x, const int32_t *codes, int64_t n, int64_t k, int64_t d,
                       FaultSlot fault, int32_t *counts, float *sums) {
  const int64_t tiles = ceil_div<int64_t>(n, kSortTile), blocks = ceil_div<int64_t>(n, kScatterBlock);
  Carver measure{nullptr};
  Work(measure, n, k, d, tiles, blocks);
  TS_TRY(s->reserve(measure.used));
  Carver carve{s->scratch.as<std::byte>()};
  const Work w(carve, n, k, d, tiles, blocks);
  int sorted = 0;
  if (n > 0) TS_TRY(sort_rows(s, w, codes, n, k, fault, &sorted));

  const Segments segments = {
      w.keys[sorted], w.rows[sorted], w.starts, counts, w.heavy, w.heavy_count, w.heavy_codes, n, k, d, blocks};
  TS_TRY(TS_CUDA(s->report, cudaMemsetAsync(w.heavy_count, 0, sizeof(uint32_t), s->cuda)));
  TS_TRY(TS_LAUNCH_ON(s, "scatter_update", code_bounds, static_cast<unsigned>(ceil_div<int64_t>(k, kScatterThreads)),
                      kScatterThreads, 0, segments));
  int lanes = 32;  // a column each
  while (lanes < d && lanes < kScatterThreads) lanes *= 2;
  if (blocks > 1) {
    const dim3 grid(static_cast<unsigned>(blocks), static_cast<unsigned>(most_heavy(d)));
    TS_TRY(TS_LAUNCH_ON(s, "scatter_update", block_partials, grid, static_cast<unsigned>(lanes), 0, segments, x,
                        w.partials));
  }
  const int64_t codes_of_block = kScatterThreads / lanes;
  return TS_LAUNCH_ON(s, "scatter_update", sum_rows, static_cast<unsigned>(ceil_div(k, codes_of_block)),
                      kScatterThreads, 0, segments, x, w.partials, lanes, sums);
}

ts_status vq_scatter(void *stream, const float *x, const int32_t *codes, int64_t n, int64_t k, int64_t d,
                     int32_t *counts, float *sums) {
  Stream *s = Stream::of(stream);
  TS_TRY(check_rows(s, n, "vq_scatter"));
  FaultSlot fault;
  TS_TRY(s->faults.begin(TS_FAULT_CODE_RANGE, "vq_scatter", &fault));
  return scatter_rows(s, x, codes, n, k, d, fault, counts, sums);
}

}  // namespace tessera::cuda
