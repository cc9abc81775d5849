#include "backend/gather.h"
#include "backend/ops.h"
#include "kernels/gather.cuh"

namespace tessera::cuda {

namespace {

ts_status gather_rows_of(Stream *s, const float *table, int64_t k, int64_t d, const int32_t *codes, int64_t n,
                         float *out, FaultSlot fault) {
  const bool quads = d % 4 == 0 && (reinterpret_cast<uintptr_t>(out) | reinterpret_cast<uintptr_t>(table)) % 16 == 0;
  int lanes = 1;
  while (lanes < 32 && lanes * (quads ? 4 : 1) < d) lanes *= 2;
  const unsigned grid = s->blocks(ceil_div<int64_t>(n * lanes, kGatherThreads), kGatherBlocks);
  if (quads)
    return TS_LAUNCH_ON(s, "gather", gather_rows<true>, grid, kGatherThreads, 0, table, k, d, codes, n, lanes, out,
                        fault);
  return TS_LAUNCH_ON(s, "gather", gather_rows<false>, grid, kGatherThreads, 0, table, k, d, codes, n, lanes, out,
                      fault);
}

}  // namespace

ts_status gather(Stream *s, const Codebook *book, const int32_t *codes, int64_t n, float *out, FaultSlot fault) {
  return n == 0 ? TS_OK : gather_rows_of(s, book->codes(), book->k, book->d, codes, n, out, fault);
}

ts_status embedding(void *stream, const float *table, int64_t k, int64_t c, const int32_t *codes, int64_t n,
                    float *out) {
  Stream *s = Stream::of(stream);
  FaultSlot fault;
  TS_TRY(s->faults.begin(TS_FAULT_CODE_RANGE, "embedding", &fault));
  return gather_rows_of(s, table, k, c, codes, n, out, fault);
}

ts_status vq_gather(void *stream, const void *codebook, const int32_t *codes, int64_t n, float *out) {
  Stream *s = Stream::of(stream);
  FaultSlot fault;
  TS_TRY(s->faults.begin(TS_FAULT_CODE_RANGE, "vq_gather", &fault));
  return gather(s, static_cast<const Codebook *>(codebook), codes, n, out, fault);
}

ts_status vq_codebook_grad(void *stream, const void *codebook, double scale, const int32_t *counts, const float *sums,
                           float *grad) {
  Stream *s = Stream::of(stream);
  const auto *book = static_cast<const Codebook *>(codebook);
  const int64_t count = book->k * book->d;
  return TS_LAUNCH_ON(s, "codebook_grad", codebook_gradient,
                      s->blocks(ceil_div<int64_t>(count, kGatherThreads), kGatherBlocks), kGatherThreads, 0,
                      book->codes(), count, book->d, scale, counts, sums, grad);
}

}  // namespace tessera::cuda
