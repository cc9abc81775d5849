// Nearest codes: screen, certify, rescore (kernels/assign.cuh), a chunk of rows after the other. The host waits for
// none of it: how many rows come to a kernel, only the device knows.
#include <algorithm>

#include "backend/carver.h"
#include "backend/search.h"
#include "kernels/assign_exact.cuh"
#include "kernels/assign_narrow.cuh"

namespace tessera::cuda {
namespace {

// A chunk's packed rows should stay in L2 between the kernels, and its tiles should fill the device several times over.
constexpr int64_t kChunkBytes = int64_t{32} << 20;
#if defined(TS_EMULATED)
constexpr int64_t kMostRows = 3072;  // few, so that tests see several chunks
#else
constexpr int64_t kMostRows = int64_t{1} << 18;
#endif

// Covers the fp32 rounding of a bound's own evaluation: a handful of operations on positive numbers.
constexpr float kInflate = 1.0f + 0x1p-20f;

constexpr int kNarrowBlocks = 5, kRescoreBlocks = 8, kScanBlocks = 3;  // a multiprocessor

int64_t chunk_rows(const CodebookView &book, int64_t n) {
  const int64_t rows =
      kChunkBytes / (int64_t{book.units} * static_cast<int64_t>(sizeof(uint4))) / kTileRows * kTileRows;
  return std::min(n, std::clamp<int64_t>(rows, kTileRows, kMostRows));
}

float rounded_up(double value) { return std::nextafter(static_cast<float>(value), HUGE_VALF); }

BoundTerms bound_terms(const Codebook *book) {
  const cpu::vq::Bound screen = book->family->bound(book->d), fp32 = cpu::vq::fp32_bound(book->d);
  return {rounded_up(screen.product), rounded_up(screen.square), rounded_up(fp32.product),
          kInflate * certificate_factor};
}

// Cuts the arrays of a chunk of `rows` rows with `lists` lists each. What is cut for more of both is large enough.
SearchWork lay_out(Carver &carve, int units, int64_t rows, int64_t lists) {
  const int64_t padded = ceil_div<int64_t>(rows, kTileRows) * kTileRows;
  SearchWork work{};
  work.rows = static_cast<int>(rows);
  work.padded = static_cast<int>(padded);
  work.counts = carve.take<unsigned>(2);
  work.packed = carve.take<uint4>(padded * units);
  work.terms = carve.take<RowTerms>(padded);
  work.lower = carve.take<unsigned>(padded);
  work.uncertain = carve.take<int>(rows);
  work.scanned = carve.take<int>(rows);
  work.found = carve.take<int>(lists * padded);
  work.lists = carve.take<uint2>(lists * padded * kListed);
  return work;
}

ts_status open_counters(Stream *s) {
  if (s->search_counters.bytes() > 0) return TS_OK;
  TS_TRY(s->search_counters.reserve(s->device, sizeof(SearchCounters), s->report, "statistics"));
  return TS_CUDA(s->report, cudaMemsetAsync(s->search_counters.as<void>(), 0, sizeof(SearchCounters), s->cuda));
}

// The codes of the groups that a screen left, in fp32. Four numbers at a time where rows begin at multiples of 16
// bytes.
ts_status narrow(Stream *s, const CodebookView &book, const BoundTerms &bound, const float *x, const SearchWork &work,
                 int lists, int32_t *codes) {
  const bool quads = book.d % 4 == 0 && reinterpret_cast<uintptr_t>(x) % 16 == 0;
  const unsigned grid = s->blocks(ceil_div(work.rows, kNarrowRows), kNarrowBlocks);
  auto *counters = s->search_counters.as<SearchCounters>();
  if (quads)
    return TS_LAUNCH_ON(s, "assign", narrow_rows<true>, grid, kNarrowThreads, narrow_shared_bytes(), book, bound, x,
                        work, lists, codes, counters);
  return TS_LAUNCH_ON(s, "assign", narrow_rows<false>, grid, kNarrowThreads, narrow_shared_bytes(), book, bound, x,
                      work, lists, codes, counters);
}

ts_status search_chunk(Stream *s, const Family *family, const CodebookView &book, const BoundTerms &bound,
                       const RowsToConvert &rows, int64_t count, size_t bytes) {
  TS_TRY(s->reserve(bytes));
  const ScreenLaunch launch = family->plan(s->device, book, static_cast<int>(count));
  const int lists = kHalves * launch.splits;
  Carver carve{s->scratch.as<std::byte>()};
  const SearchWork work = lay_out(carve, book.units, count, lists);
  TS_TRY(TS_CUDA(s->report, cudaMemsetAsync(work.counts, 0, 2 * sizeof(unsigned), s->cuda)));
  TS_TRY(family->convert(s, book, bound, rows, work, lists));
  TS_TRY(family->screen(s, book, work, launch, bound.factor));
  TS_TRY(narrow(s, book, bound, rows.x, work, lists, rows.codes));
  TS_TRY(TS_LAUNCH_ON(s, "assign", rescore_rows, s->blocks(ceil_div(work.rows, kRescoreThreads / 32), kRescoreBlocks),
                      kRescoreThreads, 0, book, rows.x, work, rows.codes));
  return TS_LAUNCH_ON(s, "assign", scan_rows, s->blocks(ceil_div(work.rows, kExactRows), kScanBlocks), kExactThreads,
                      exact_shared_bytes(), book, rows.x, work, rows.codes);
}

}  // namespace

ts_status search(Stream *s, const Codebook *book, const float *x, int64_t n, int32_t *codes, FaultSlot fault) {
  const Family *family = book->family;
  s->search_kernel = family->name;
  TS_TRY(open_counters(s));
  if (n == 0) return TS_OK;
  const CodebookView view = book->view();
  const BoundTerms bound = bound_terms(book);
  const int64_t chunk = chunk_rows(view, n);
  // The last chunk has fewer tiles and so more splits: the same memory must do for it.
  size_t bytes = 0;
  for (int64_t rows : {chunk, n - (n - 1) / chunk * chunk}) {
    Carver measure{nullptr};
    lay_out(measure, view.units, rows, kHalves * family->plan(s->device, view, static_cast<int>(rows)).splits);
    bytes = std::max(bytes, measure.used);
  }
  for (int64_t first = 0; first < n; first += chunk)
    TS_TRY(search_chunk(s, family, view, bound, {x + first * book->d, first, fault, codes + first},
                        std::min(chunk, n - first), bytes));
  return TS_OK;
}

}  // namespace tessera::cuda
