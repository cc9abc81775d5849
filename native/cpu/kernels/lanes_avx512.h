// Sixteen floats of AVX-512 under the names that row and tile kernels use (lanes.h says what each means).
#pragma once

#include <immintrin.h>

#include <cstdint>

namespace tessera::cpu {
namespace {

constexpr int kLanes = 16;
using Lanes = __m512;

inline Lanes all(float x) { return _mm512_set1_ps(x); }
inline Lanes load(const float *p) { return _mm512_loadu_ps(p); }
inline void store(float *p, Lanes x) { _mm512_storeu_ps(p, x); }
inline __mmask16 head(int64_t n) { return static_cast<__mmask16>((1u << n) - 1u); }
inline Lanes load_head(const float *p, int64_t n) { return _mm512_maskz_loadu_ps(head(n), p); }
inline void store_head(float *p, int64_t n, Lanes x) { _mm512_mask_storeu_ps(p, head(n), x); }
inline Lanes add(Lanes a, Lanes b) { return _mm512_add_ps(a, b); }
inline Lanes subtract(Lanes a, Lanes b) { return _mm512_sub_ps(a, b); }
inline Lanes multiply(Lanes a, Lanes b) { return _mm512_mul_ps(a, b); }
inline Lanes divide(Lanes a, Lanes b) { return _mm512_div_ps(a, b); }
inline Lanes fused(Lanes a, Lanes b, Lanes c) { return _mm512_fmadd_ps(a, b, c); }
inline Lanes larger(Lanes a, Lanes b) { return _mm512_max_ps(a, b); }
inline Lanes smaller(Lanes a, Lanes b) { return _mm512_min_ps(a, b); }
inline Lanes magnitude(Lanes a) { return _mm512_abs_ps(a); }
inline Lanes where_negative(Lanes x, Lanes yes, Lanes no) {
  return _mm512_mask_blend_ps(_mm512_cmp_ps_mask(x, _mm512_setzero_ps(), _CMP_LT_OQ), no, yes);
}
inline float sum_of(Lanes x) { return _mm512_reduce_add_ps(x); }
inline float largest_of(Lanes x) { return _mm512_reduce_max_ps(x); }
inline Lanes nearest_whole(Lanes x) { return _mm512_roundscale_ps(x, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC); }
// x 2^n for whole n: saturates to infinity and to zero.
inline Lanes times_power_of_two(Lanes x, Lanes n) { return _mm512_scalef_ps(x, n); }

}  // namespace
}  // namespace tessera::cpu
