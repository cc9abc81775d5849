// Losses: the mean of a term over all elements, and its gradient in the same pass over both tensors (12 bytes an
// element).
#include <cmath>

#include "cpu/math/math.h"
#include "cpu/math/reduce.h"

namespace tessera::cpu {
namespace {

// One loss: the term of an element in float64, and its derivative by the prediction.
struct Mse {
  static double term(float p, float t) {
    double e = static_cast<double>(p) - static_cast<double>(t);
    return e * e;
  }
  static float derivative(float p, float t) { return 2.0f * (p - t); }
};

struct L1 {
  static double term(float p, float t) { return std::fabs(static_cast<double>(p) - static_cast<double>(t)); }
  static float derivative(float p, float t) { return p > t ? 1.0f : p < t ? -1.0f : p == t ? 0.0f : p - t; }
};

struct BceWithLogits {
  static double term(float p, float t) {
    double x = p;
    return (x > 0.0 ? x : 0.0) - x * static_cast<double>(t) + std::log1p(std::exp(-std::fabs(x)));
  }
  static float derivative(float p, float t) {
    float e = std::exp(-std::fabs(p));
    float sigmoid = p >= 0.0f ? 1.0f / (1.0f + e) : e / (1.0f + e);
    return sigmoid - t;
  }
};

template <class Loss>
ts_status run(Stream *stream, double grad_scale, const float *p, const float *t, int64_t count, double *loss,
              float *grad) {
  auto scale = static_cast<float>(grad_scale / static_cast<double>(count));
  double total;
  bool ok = sum_blocks(stream, count, &total, [=](int64_t begin, int64_t end) {
    double s = 0.0;
    for (int64_t i = begin; i < end; i++) s += Loss::term(p[i], t[i]);
    if (grad)  // after the sum: grad may be p
      for (int64_t i = begin; i < end; i++) grad[i] = scale * Loss::derivative(p[i], t[i]);
    return s;
  });
  if (!ok) return TS_OUT_OF_MEMORY;
  *loss = total / static_cast<double>(count);
  return TS_OK;
}

}  // namespace

ts_status loss(void *stream, int32_t kind, double grad_scale, const float *prediction, const float *target,
               int64_t count, double *loss, float *grad) {
  auto *s = static_cast<Stream *>(stream);
  switch (kind) {
    case TS_LOSS_MSE:
      return run<Mse>(s, grad_scale, prediction, target, count, loss, grad);
    case TS_LOSS_L1:
      return run<L1>(s, grad_scale, prediction, target, count, loss, grad);
    default:
      return run<BceWithLogits>(s, grad_scale, prediction, target, count, loss, grad);
  }
}

}  // namespace tessera::cpu
