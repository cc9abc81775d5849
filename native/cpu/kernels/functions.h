// Rows of functions that need an exponential.
#pragma once

#include <cstdint>

namespace tessera::cpu {
namespace {

// The standard normal distribution. With z = |x| / sqrt 2 and t = 1 / (1 + z / 2), erfc(z) = t exp(polynomial(t) - z^2)
// by Chebyshev's fit of Press et al., Numerical Recipes (erfcc), whose relative error is below 1.2e-7. Then
// Phi(x) = erfc(z) / 2 for x < 0 and 1 - erfc(z) / 2 otherwise.
inline Lanes normal_distribution(Lanes x) {
  const Lanes z = multiply(magnitude(x), all(0.70710678f));
  const Lanes t = divide(all(1.0f), fused(z, all(0.5f), all(1.0f)));
  Lanes p = all(0.17087277f);
  p = fused(p, t, all(-0.82215223f));
  p = fused(p, t, all(1.48851587f));
  p = fused(p, t, all(-1.13520398f));
  p = fused(p, t, all(0.27886807f));
  p = fused(p, t, all(-0.18628806f));
  p = fused(p, t, all(0.09678418f));
  p = fused(p, t, all(0.37409196f));
  p = fused(p, t, all(1.00002368f));
  p = fused(p, t, all(-1.26551223f));
  const Lanes half = multiply(multiply(t, all(0.5f)), exponential(subtract(p, multiply(z, z))));
  return where_negative(x, half, subtract(all(1.0f), half));
}

inline Lanes gelu_of(Lanes x) { return multiply(x, normal_distribution(x)); }

// Phi(x) + x phi(x), phi the standard normal density.
inline Lanes gelu_slope(Lanes x) {
  const Lanes density = multiply(all(0.39894228f), exponential(multiply(all(-0.5f), multiply(x, x))));
  return fused(x, density, normal_distribution(x));
}

void gelu(const float *x, float *y, int64_t n) {
  int64_t i = 0;
  for (; i + kLanes <= n; i += kLanes) store(y + i, gelu_of(load(x + i)));
  if (i < n) store_head(y + i, n - i, gelu_of(load_head(x + i, n - i)));
}

void gelu_backward(const float *x, const float *dy, float *dx, int64_t n) {
  int64_t i = 0;
  for (; i + kLanes <= n; i += kLanes) store(dx + i, multiply(load(dy + i), gelu_slope(load(x + i))));
  if (i < n) store_head(dx + i, n - i, multiply(load_head(dy + i, n - i), gelu_slope(load_head(x + i, n - i))));
}

// The largest of n numbers, n >= 1. A NaN may be passed over.
inline float largest_in(const float *x, int64_t n) {
  Lanes most = all(x[0]);
  int64_t i = 0;
  for (; i + kLanes <= n; i += kLanes) most = larger(load(x + i), most);
  if (i < n) most = larger(head_else(load_head(x + i, n - i), n - i, most), most);
  return largest_of(most);
}

float largest(const float *x, int64_t n) { return largest_in(x, n); }

void scale_row(float *x, float factor, int64_t n) {
  const Lanes by = all(factor);
  int64_t i = 0;
  for (; i + kLanes <= n; i += kLanes) store(x + i, multiply(load(x + i), by));
  for (; i < n; i++) x[i] *= factor;
}

// Sums of 256 numbers in fp32, each lane's 256 / kLanes of them, are added in float64.
double exponentials(const float *x, float most, float *e, int64_t n) {
  constexpr int64_t kBlock = 256;
  double total = 0.0;
  const Lanes minus = all(most);
  for (int64_t first = 0; first < n; first += kBlock) {
    const int64_t end = n - first < kBlock ? n : first + kBlock;
    Lanes sum = all(0.0f);
    int64_t i = first;
    for (; i + kLanes <= end; i += kLanes) {
      const Lanes value = exponential(subtract(load(x + i), minus));
      if (e) store(e + i, value);
      sum = add(sum, value);
    }
    float rest[kLanes] = {};
    if (i < end) {
      store_head(rest, end - i, exponential(subtract(load_head(x + i, end - i), minus)));
      if (e) store_head(e + i, end - i, load(rest));
      sum = add(sum, load(rest));
    }
    total += static_cast<double>(sum_of(sum));
  }
  return total;
}

}  // namespace
}  // namespace tessera::cpu
