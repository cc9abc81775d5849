#include "backend/ops.h"
#include "backend/reduce.h"
#include "kernels/loss.cuh"

namespace tessera::cuda {
namespace {

template <class Loss>
ts_status mean(Stream *s, double grad_scale, const float *prediction, const float *target, int64_t count, double *loss,
               float *grad) {
  auto size = static_cast<double>(count);
  LossTerm<Loss> term{prediction, target, static_cast<float>(grad_scale / size), grad};
  return sum_terms(s, "loss", term, count, size, loss);
}

}  // namespace

ts_status loss(void *stream, int32_t kind, double grad_scale, const float *prediction, const float *target,
               int64_t count, double *loss, float *grad) {
  Stream *s = Stream::of(stream);
  switch (kind) {
    case TS_LOSS_MSE:
      return mean<Mse>(s, grad_scale, prediction, target, count, loss, grad);
    case TS_LOSS_L1:
      return mean<L1>(s, grad_scale, prediction, target, count, loss, grad);
    default:
      return mean<BceWithLogits>(s, grad_scale, prediction, target, count, loss, grad);
  }
}

}  // namespace tessera::cuda
