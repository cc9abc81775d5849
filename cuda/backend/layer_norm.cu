#include "backend/column_sums.h"
#include "backend/ops.h"
#include "kernels/layer_norm.cuh"

namespace tessera::cuda {

ts_status layer_norm_forward(void *stream, float epsilon, const float *x, const float *gamma, const float *beta,
                             int64_t rows, int64_t channels, float *y, float *mean, float *rstd) {
  Stream *s = Stream::of(stream);
  return TS_LAUNCH_ON(s, "layer_norm", normalize_rows, static_cast<unsigned>(ceil_div<int64_t>(rows, kNormRows)),
                      kNormThreads, 0, x, gamma, beta, rows, channels, epsilon, y, mean, rstd);
}

// The sums come first: dx may be dy.
ts_status layer_norm_backward(void *stream, const float *x, const float *gamma, const float *mean, const float *rstd,
                              const float *dy, int64_t rows, int64_t channels, float *dx, float *dgamma, float *dbeta) {
  Stream *s = Stream::of(stream);
  constexpr int kSums = NormGradients::kSums;
  TS_TRY(s->reserve(static_cast<size_t>(column_sums_scratch(rows, channels, kSums)) * sizeof(float)));
  TS_TRY(sum_columns(s, "layer_norm", NormGradients{x, mean, rstd, dy, channels}, AsItIs(), rows, channels,
                     s->scratch.as<float>(), {dgamma, dbeta}));
  if (rows == 0) return TS_OK;
  return TS_LAUNCH_ON(s, "layer_norm", normalize_rows_backward,
                      static_cast<unsigned>(ceil_div<int64_t>(rows, kNormRows)), kNormThreads, 0, x, gamma, mean, rstd,
                      dy, rows, channels, dx);
}

}  // namespace tessera::cuda
