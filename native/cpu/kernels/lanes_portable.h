// Four floats without any instruction set, under the names that row and tile kernels use (lanes.h says what each
// means). It computes everywhere, and is fast nowhere: fma is a library call where the processor has none.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>

namespace tessera::cpu {
namespace {

constexpr int kLanes = 4;
struct Lanes {
  float at[kLanes];
};

template <class F>
inline Lanes each(const F &f) {
  Lanes r;
  for (int i = 0; i < kLanes; i++) r.at[i] = f(i);
  return r;
}

inline Lanes all(float x) {
  return each([x](int) { return x; });
}
inline Lanes load(const float *p) {
  return each([p](int i) { return p[i]; });
}
inline void store(float *p, Lanes x) { std::copy(x.at, x.at + kLanes, p); }
inline Lanes load_head(const float *p, int64_t n) {
  return each([p, n](int i) { return i < n ? p[i] : 0.0f; });
}
inline void store_head(float *p, int64_t n, Lanes x) { std::copy(x.at, x.at + n, p); }
inline Lanes head_else(Lanes x, int64_t n, Lanes rest) {
  return each([&](int i) { return i < n ? x.at[i] : rest.at[i]; });
}
inline Lanes add(Lanes a, Lanes b) {
  return each([&](int i) { return a.at[i] + b.at[i]; });
}
inline Lanes subtract(Lanes a, Lanes b) {
  return each([&](int i) { return a.at[i] - b.at[i]; });
}
inline Lanes multiply(Lanes a, Lanes b) {
  return each([&](int i) { return a.at[i] * b.at[i]; });
}
inline Lanes divide(Lanes a, Lanes b) {
  return each([&](int i) { return a.at[i] / b.at[i]; });
}
inline Lanes fused(Lanes a, Lanes b, Lanes c) {
  return each([&](int i) { return std::fma(a.at[i], b.at[i], c.at[i]); });
}
inline Lanes larger(Lanes a, Lanes b) {
  return each([&](int i) { return a.at[i] > b.at[i] ? a.at[i] : b.at[i]; });
}
inline Lanes smaller(Lanes a, Lanes b) {
  return each([&](int i) { return a.at[i] < b.at[i] ? a.at[i] : b.at[i]; });
}
inline Lanes magnitude(Lanes a) {
  return each([&](int i) { return std::fabs(a.at[i]); });
}
inline Lanes where_negative(Lanes x, Lanes yes, Lanes no) {
  return each([&](int i) { return x.at[i] < 0.0f ? yes.at[i] : no.at[i]; });
}
inline float sum_of(Lanes x) { return (x.at[0] + x.at[2]) + (x.at[1] + x.at[3]); }
inline float largest_of(Lanes x) { return *std::max_element(x.at, x.at + kLanes); }
inline void transpose_block(const float *from, int64_t step, float *to, int64_t to_step) {
  for (int i = 0; i < kLanes; i++)
    for (int j = 0; j < kLanes; j++) to[j * to_step + i] = from[i * step + j];
}
inline Lanes nearest_whole(Lanes x) {
  return each([&](int i) { return std::nearbyint(x.at[i]); });
}
inline Lanes times_power_of_two(Lanes x, Lanes n) {
  return each([&](int i) { return std::isnan(n.at[i]) ? n.at[i] : std::ldexp(x.at[i], static_cast<int>(n.at[i])); });
}

}  // namespace
}  // namespace tessera::cpu
