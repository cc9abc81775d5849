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
inline Lanes head_else(Lanes x, int64_t n, Lanes rest) { return _mm512_mask_mov_ps(rest, head(n), x); }
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
// Neighbouring rows' numbers, then pairs, fours and eights of them change places.
inline void transpose_block(const float *from, int64_t step, float *to, int64_t to_step) {
  __m512 a[16], b[16];
#pragma GCC unroll 16
  for (int i = 0; i < 16; i++) a[i] = _mm512_loadu_ps(from + i * step);
#pragma GCC unroll 8
  for (int i = 0; i < 16; i += 2) {
    b[i] = _mm512_unpacklo_ps(a[i], a[i + 1]);
    b[i + 1] = _mm512_unpackhi_ps(a[i], a[i + 1]);
  }
#pragma GCC unroll 4
  for (int i = 0; i < 16; i += 4)
#pragma GCC unroll 2
    for (int j = 0; j < 2; j++) {
      const __m512d low = _mm512_castps_pd(b[i + j]), high = _mm512_castps_pd(b[i + j + 2]);
      a[i + 2 * j] = _mm512_castpd_ps(_mm512_unpacklo_pd(low, high));
      a[i + 2 * j + 1] = _mm512_castpd_ps(_mm512_unpackhi_pd(low, high));
    }
    // a[4 r + c] holds column 4 q + c of rows 4 r to 4 r + 3 in its quarter q.
#pragma GCC unroll 4
  for (int c = 0; c < 4; c++) {
    const __m512 even_low = _mm512_shuffle_f32x4(a[c], a[4 + c], 0x88),
                 odd_low = _mm512_shuffle_f32x4(a[c], a[4 + c], 0xDD);
    const __m512 even_high = _mm512_shuffle_f32x4(a[8 + c], a[12 + c], 0x88),
                 odd_high = _mm512_shuffle_f32x4(a[8 + c], a[12 + c], 0xDD);
    _mm512_storeu_ps(to + c * to_step, _mm512_shuffle_f32x4(even_low, even_high, 0x88));
    _mm512_storeu_ps(to + (4 + c) * to_step, _mm512_shuffle_f32x4(odd_low, odd_high, 0x88));
    _mm512_storeu_ps(to + (8 + c) * to_step, _mm512_shuffle_f32x4(even_low, even_high, 0xDD));
    _mm512_storeu_ps(to + (12 + c) * to_step, _mm512_shuffle_f32x4(odd_low, odd_high, 0xDD));
  }
}
// x 2^n for whole n: saturates to infinity and to zero.
inline Lanes times_power_of_two(Lanes x, Lanes n) { return _mm512_scalef_ps(x, n); }

}  // namespace
}  // namespace tessera::cpu
