// vq_quantize: the search, then the rows' vectors with their squared errors in one pass over x, then the
// scatter-update.
#include "backend/carver.h"
#include "backend/gather.h"
#include "backend/ops.h"
#include "backend/reduce.h"
#include "backend/scatter_update.h"
#include "backend/search.h"
#include "kernels/quantize.cuh"

namespace tessera::cuda {
namespace {

// What block_sums adds: the rows' errors.
struct RowErrors {
  const double *errors;
  TS_DEVICE double operator()(int64_t row) const { return errors[row]; }
};

// *squared_error in tessera.h's order, and quantized, which may be null.
ts_status add_errors(Stream *s, const Codebook *book, const float *x, const int32_t *codes, int64_t n, float *quantized,
                     double *squared_error) {
  auto cut = [n](Carver &carve, double **errors, double **sums) {
    *errors = carve.take<double>(n);
    *sums = carve.take<double>(ceil_div<int64_t>(n, kSumBlock));
  };
  double *errors, *sums;
  Carver measure{nullptr};
  cut(measure, &errors, &sums);
  TS_TRY(s->reserve(measure.used + 1));
  Carver carve{s->scratch.as<std::byte>()};
  cut(carve, &errors, &sums);
  if (n > 0)
    TS_TRY(TS_LAUNCH_ON(s, "quantize", quantize_rows, static_cast<unsigned>(ceil_div<int64_t>(n, kRowTile)), kRowTile,
                        shared_bytes<double>(kRowTileSize) + shared_bytes<int>(kRowTile), book->codes(), book->d, x,
                        codes, n, quantized, errors));
  return sum_terms(s, "quantize", RowErrors{errors}, n, 1.0, sums, squared_error);
}

}  // namespace

ts_status vq_quantize(void *stream, const void *codebook, const float *x, int64_t n, int32_t *codes, float *quantized,
                      double *squared_error, int32_t *counts, float *sums) {
  Stream *s = Stream::of(stream);
  const auto *book = static_cast<const Codebook *>(codebook);
  TS_TRY(check_rows(s, n, "vq_quantize"));
  FaultSlot fault;
  TS_TRY(s->faults.begin(TS_FAULT_NONFINITE_ROW, "vq_quantize", &fault));
  TS_TRY(search(s, book, x, n, codes, fault));
  // Rows at fault have been reported; their code -1 is no fault of what follows.
  const FaultSlot none{};
  if (squared_error)
    TS_TRY(add_errors(s, book, x, codes, n, quantized, squared_error));
  else if (quantized)
    TS_TRY(gather(s, book, codes, n, quantized, none));
  if (!counts) return TS_OK;
  return scatter_rows(s, x, codes, n, book->k, book->d, none, counts, sums);
}

}  // namespace tessera::cuda
