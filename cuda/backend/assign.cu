// vq_assign, and vq_statistics: what the searches of a stream did.
#include <cstdio>
#include <cstring>

#include "backend/ops.h"
#include "backend/scatter_update.h"
#include "backend/search.h"
#include "kernels/assign.cuh"

namespace tessera::cuda {

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
