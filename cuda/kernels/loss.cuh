// Losses: the mean of a term over all elements, and its gradient in the same pass over prediction and target. The sum
// is reduce.cuh's block_sums with these terms: 8 bytes read and 4 written an element.
#pragma once

#include "kernels/intrinsics.cuh"

namespace tessera::cuda {

// One loss: the term of an element in float64, and its derivative by the prediction p.
struct Mse {
  TS_DEVICE static double term(float p, float t) {
    const double e = static_cast<double>(p) - static_cast<double>(t);
    return e * e;
  }
  TS_DEVICE static float derivative(float p, float t) { return 2.0f * (p - t); }
};

struct L1 {
  TS_DEVICE static double term(float p, float t) { return fabs(static_cast<double>(p) - static_cast<double>(t)); }
  TS_DEVICE static float derivative(float p, float t) { return p > t ? 1.0f : p < t ? -1.0f : p == t ? 0.0f : p - t; }
};

struct BceWithLogits {
  TS_DEVICE static double term(float p, float t) {
    const double x = p;
    return (x > 0.0 ? x : 0.0) - x * static_cast<double>(t) + log1p(exp(-fabs(x)));
  }
  TS_DEVICE static float derivative(float p, float t) {
    const float e = expf(-fabsf(p));
    const float sigmoid = p >= 0.0f ? 1.0f / (1.0f + e) : e / (1.0f + e);
    return sigmoid - t;
  }
};

// A term of block_sums that writes the gradient on the way. grad may be null, or the prediction itself.
template <class Loss>
struct LossTerm {
  const float *prediction, *target;
  float scale;
  float *grad;
  TS_DEVICE double operator()(int64_t i) const {
    const float p = prediction[i], t = target[i];
    if (grad) grad[i] = scale * Loss::derivative(p, t);
    return Loss::term(p, t);
  }
};

}  // namespace tessera::cuda
