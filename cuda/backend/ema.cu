#include "backend/ops.h"
#include "backend/reduce.h"
#include "kernels/ema.cuh"

namespace tessera::cuda {

ts_status vq_ema(void *stream, const ts_ema_factors *factors, int64_t k, int64_t d, const int32_t *counts,
                 const float *sums, float *hidden_counts, float *hidden_sums, const float *old_codes,
                 float *new_codes) {
  Stream *s = Stream::of(stream);
  const float rate = factors->one_minus_decay;
  TS_TRY(s->reserve(static_cast<size_t>(ceil_div<int64_t>(k, kSumBlock) + 1) * sizeof(double)));
  auto *total = s->scratch.as<double>(), *sums_of_blocks = total + 1;
  TS_TRY(
      sum_terms(s, "ema", AverageCount{rate, factors->debias, counts, hidden_counts}, k, 1.0, sums_of_blocks, total));
  return TS_LAUNCH_ON(s, "ema", ema_codes, s->blocks(ceil_div<int64_t>(k * d, kEmaThreads), kEmaBlocks), kEmaThreads, 0,
                      rate, factors->debias, factors->epsilon, k, d, total, sums, hidden_counts, hidden_sums, old_codes,
                      new_codes);
}

}  // namespace tessera::cuda
