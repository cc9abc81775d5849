// Nearest codes: screen, certify, rescore (docs/kernels.md). Rows are measured, a family screens them, rows that one
// code is left of are decided, and the others are scanned in float64. The host waits for none of it.
#include <algorithm>
#include <cstdio>
#include <cstring>

#include "backend/carver.h"
#include "backend/ops.h"
#include "backend/scatter_update.h"
#include "backend/search.h"
#include "cpu/vq/bound.h"
#include "kernels/assign_exact.cuh"
#include "kernels/assign_fp32.cuh"

namespace tessera::cuda {
namespace {

// A split costs 16 bytes a row and its merge; it pays where there are fewer tiles of rows than the device has room for.
constexpr int64_t kMostSplits = 16;

struct Work {
  float *norms;        // [n]
  Screened *screened;  // [splits, n]
  uint32_t *listed;    // [1]
  int32_t *list;       // [n] rows to scan

  Work(Carver &carve, int64_t n, int64_t splits) {
    norms = carve.take<float>(n);
    screened = carve.take<Screened>(splits * n);
    listed = carve.take<uint32_t>(1);
    list = carve.take<int32_t>(n);
  }
};

ts_status open_counters(Stream *s) {
  if (s->search_counters.bytes() > 0) return TS_OK;
  TS_TRY(s->search_counters.reserve(s->device, sizeof(SearchCounters), s->report, "statistics"));
  return TS_CUDA(s->report, cudaMemsetAsync(s->search_counters.as<void>(), 0, sizeof(SearchCounters), s->cuda));
}

}  // namespace

ts_status search(Stream *s, const Codebook *book, const float *x, int64_t n, int32_t *codes, FaultSlot fault) {
  s->search_kernel = "fp32-simt";
  TS_TRY(open_counters(s));
  if (n == 0) return TS_OK;
  const int64_t tiles = ceil_div<int64_t>(n, kFp32Rows), wanted = 2 * s->device->properties.multiProcessorCount;
  const int64_t splits_wanted = std::clamp<int64_t>(wanted / tiles, 1, std::min(book->panels, kMostSplits));
  const int64_t panels_a_split = ceil_div(book->panels, splits_wanted);
  const int64_t splits = ceil_div(book->panels, panels_a_split);
  Carver measure{nullptr};
  Work(measure, n, splits);
  TS_TRY(s->reserve(measure.used));
  Carver carve{s->scratch.as<std::byte>()};
  const Work w(carve, n, splits);
  const CodebookView view = book->view();

  int lanes = 1;
  while (lanes < 32 && lanes < book->d) lanes *= 2;
  TS_TRY(TS_LAUNCH_ON(s, "measure", measure_rows, static_cast<unsigned>(ceil_div<int64_t>(n * lanes, kScreenThreads)),
                      kScreenThreads, 0, view, x, n, lanes, w.norms, fault));

  const cpu::vq::Bound bound = cpu::vq::fp32_bound(book->d);
  const BoundTerms terms = {static_cast<float>(bound.product), static_cast<float>(bound.square),
                            static_cast<float>(bound.constant)};
  const dim3 grid(static_cast<unsigned>(tiles), static_cast<unsigned>(splits));
  TS_TRY(TS_LAUNCH_ON(s, "fp32-simt", screen_fp32, grid, kScreenThreads, fp32_shared_bytes(), view, terms, x, n,
                      w.norms, panels_a_split, w.screened));

  TS_TRY(TS_CUDA(s->report, cudaMemsetAsync(w.listed, 0, sizeof(uint32_t), s->cuda)));
  TS_TRY(TS_LAUNCH_ON(s, "decide", decide_rows, static_cast<unsigned>(ceil_div<int64_t>(n, kScreenThreads)),
                      kScreenThreads, 0, w.screened, w.norms, n, static_cast<int>(splits), book->k, codes, w.listed,
                      w.list, s->search_counters.as<SearchCounters>()));
  // How many rows are listed, only the device knows: blocks find out that there is nothing to do.
  return TS_LAUNCH_ON(s, "exact", scan_codes, s->blocks(ceil_div<int64_t>(n, kExactRows), 3), kExactThreads,
                      exact_shared_bytes(), view.codes, book->k, book->d, x, w.listed, w.list, codes);
}

ts_status vq_assign(void *stream, const void *codebook, const float *x, int64_t n, int32_t *codes) {
  Stream *s = Stream::of(stream);
  TS_TRY(check_rows(s, n, "vq_assign"));
  FaultSlot fault;
  TS_TRY(s->faults.begin(TS_FAULT_NONFINITE_ROW, "vq_assign", &fault));
  return search(s, static_cast<const Codebook *>(codebook), x, n, codes, fault);
}

ts_status vq_statistics(void *stream, int32_t reset, ts_vq_stats *stats) {
  Stream *s = Stream::of(stream);
  const uint32_t struct_size = stats->struct_size;
  *stats = {};
  stats->struct_size = struct_size;
  if (s->search_counters.bytes() == 0) return TS_OK;
  SearchCounters counters;
  static_assert(sizeof counters.histogram == sizeof stats->histogram, "one bin each");
  TS_TRY(s->staging.to_host(s->cuda, &counters, s->search_counters.as<void>(), sizeof counters, s->report));
  stats->rows = counters.rows;
  stats->candidates = counters.candidates;
  stats->rescored_rows = counters.rescored;
  stats->scanned_rows = counters.scanned;
  memcpy(stats->histogram, counters.histogram, sizeof stats->histogram);
  snprintf(stats->kernel, sizeof stats->kernel, "%s", s->search_kernel);
  if (!reset) return TS_OK;
  s->search_kernel = "";
  return TS_CUDA(s->report, cudaMemsetAsync(s->search_counters.as<void>(), 0, sizeof counters, s->cuda));
}

}  // namespace tessera::cuda
