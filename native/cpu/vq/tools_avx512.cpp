// AVX-512: collecting candidates, fp32 narrowing, and the float64 contract.
#include <immintrin.h>

#include "cpu/vq/family.h"

namespace tessera::cpu::vq {
namespace {

__mmask16 head(int64_t n) { return static_cast<__mmask16>(n >= 16 ? 0xFFFF : (1 << n) - 1); }

bool collect(const float *maxima, const float *error, int64_t first_panel, int64_t panels, float lower,
             Candidates *candidates) {
  const __m512 threshold = _mm512_set1_ps(lower);
  const __m512i lanes = _mm512_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15);
  int32_t count = candidates->count;
  for (int64_t p = 0; p < panels; p++) {
    __m512 upper = _mm512_add_ps(_mm512_load_ps(maxima + p * kLanes), _mm512_set1_ps(error[p]));
    __mmask16 keep = _mm512_cmp_ps_mask(upper, threshold, _CMP_NLT_UQ);  // a NaN stays
    if (!keep) continue;
    int kept = __builtin_popcount(keep);
    if (count + kept > candidates->capacity) return false;
    __m512i group = _mm512_add_epi32(lanes, _mm512_set1_epi32(static_cast<int>((first_panel + p) * kLanes)));
    // Compressing in a register and storing under a mask: compressing into memory is microcode on Zen 4.
    _mm512_mask_storeu_epi32(candidates->group + count, head(kept), _mm512_maskz_compress_epi32(keep, group));
    _mm512_mask_storeu_ps(candidates->upper + count, head(kept), _mm512_maskz_compress_ps(keep, upper));
    count += kept;
  }
  candidates->count = count;
  return true;
}

// Sums of four vectors, as one vector of four.
__m128 sums(__m512 a, __m512 b, __m512 c, __m512 d) {
  __m512 ab = _mm512_add_ps(_mm512_unpacklo_ps(a, b), _mm512_unpackhi_ps(a, b));
  __m512 cd = _mm512_add_ps(_mm512_unpacklo_ps(c, d), _mm512_unpackhi_ps(c, d));
  __m512 abcd = _mm512_castpd_ps(_mm512_unpacklo_pd(_mm512_castps_pd(ab), _mm512_castps_pd(cd)));
  abcd = _mm512_add_ps(abcd, _mm512_castpd_ps(_mm512_unpackhi_pd(_mm512_castps_pd(ab), _mm512_castps_pd(cd))));
  __m256 half = _mm256_add_ps(_mm512_castps512_ps256(abcd), _mm512_extractf32x8_ps(abcd, 1));
  return _mm_add_ps(_mm256_castps256_ps128(half), _mm256_extractf128_ps(half, 1));
}

// Four codes at a time; the codes are centred as they are read, which saves a centred copy of the codebook.
void narrow(const Codebook *codebook, const float *y, const int32_t *slots, int64_t count, float *scores) {
  const int64_t d = codebook->d;
  const float *mean = codebook->mean;
  const __m512 scale = _mm512_set1_ps(codebook->scale);
  for (int64_t n = 0; n < count; n += 4) {
    const float *c[4];
    float half_norm[4];
    for (int64_t j = 0; j < 4; j++) {
      int32_t slot = slots[n + j < count ? n + j : n];
      c[j] = codebook->codes + int64_t{codebook->order[slot]} * d;
      half_norm[j] = codebook->half_norm[slot];
    }
    __m512 s0 = _mm512_setzero_ps(), s1 = s0, s2 = s0, s3 = s0;
    for (int64_t i = 0; i < d; i += kLanes) {
      __mmask16 mask = head(d - i);
      __m512 v = _mm512_load_ps(y + i), m = _mm512_load_ps(mean + i);
      s0 = _mm512_fmadd_ps(v, _mm512_fmsub_ps(_mm512_maskz_loadu_ps(mask, c[0] + i), scale, m), s0);
      s1 = _mm512_fmadd_ps(v, _mm512_fmsub_ps(_mm512_maskz_loadu_ps(mask, c[1] + i), scale, m), s1);
      s2 = _mm512_fmadd_ps(v, _mm512_fmsub_ps(_mm512_maskz_loadu_ps(mask, c[2] + i), scale, m), s2);
      s3 = _mm512_fmadd_ps(v, _mm512_fmsub_ps(_mm512_maskz_loadu_ps(mask, c[3] + i), scale, m), s3);
    }
    __m128 score = _mm_sub_ps(sums(s0, s1, s2, s3), _mm_loadu_ps(half_norm));
    _mm_mask_storeu_ps(scores + n, static_cast<__mmask8>(head(count - n < 4 ? count - n : 4)), score);
  }
}

// Differences of 8 numbers of x and c in float64, exact up to their one rounding.
__m512d difference(const float *x, const float *c, __mmask8 mask) {
  return _mm512_sub_pd(_mm512_cvtps_pd(_mm256_maskz_loadu_ps(mask, x)),
                       _mm512_cvtps_pd(_mm256_maskz_loadu_ps(mask, c)));
}

// Eight pairs in the eight lanes: each lane adds its own terms in ascending d, which is the contract's order. The terms
// come row by row, so blocks of 8 x 8 are transposed.
void distances(const float *const *x, const float *const *c, int64_t count, int64_t d, double *distance) {
  const float *xs[8], *cs[8];
  for (int64_t i = 0; i < 8; i++) {
    xs[i] = x[i < count ? i : 0];
    cs[i] = c[i < count ? i : 0];
  }
  __m512d sum = _mm512_setzero_pd();
  for (int64_t i = 0; i < d; i += 8) {
    // Past the end the differences are 0, and fma(0, 0, sum) is sum.
    auto mask = static_cast<__mmask8>(head(d - i < 8 ? d - i : 8));
    __m512d r0 = difference(xs[0] + i, cs[0] + i, mask), r1 = difference(xs[1] + i, cs[1] + i, mask);
    __m512d r2 = difference(xs[2] + i, cs[2] + i, mask), r3 = difference(xs[3] + i, cs[3] + i, mask);
    __m512d r4 = difference(xs[4] + i, cs[4] + i, mask), r5 = difference(xs[5] + i, cs[5] + i, mask);
    __m512d r6 = difference(xs[6] + i, cs[6] + i, mask), r7 = difference(xs[7] + i, cs[7] + i, mask);
    __m512d even0 = _mm512_unpacklo_pd(r0, r1), odd0 = _mm512_unpackhi_pd(r0, r1);
    __m512d even2 = _mm512_unpacklo_pd(r2, r3), odd2 = _mm512_unpackhi_pd(r2, r3);
    __m512d even4 = _mm512_unpacklo_pd(r4, r5), odd4 = _mm512_unpackhi_pd(r4, r5);
    __m512d even6 = _mm512_unpacklo_pd(r6, r7), odd6 = _mm512_unpackhi_pd(r6, r7);
    __m512d e02 = _mm512_shuffle_f64x2(even0, even2, 0x44), e46 = _mm512_shuffle_f64x2(even4, even6, 0x44);
    __m512d o02 = _mm512_shuffle_f64x2(odd0, odd2, 0x44), o46 = _mm512_shuffle_f64x2(odd4, odd6, 0x44);
    __m512d f02 = _mm512_shuffle_f64x2(even0, even2, 0xEE), f46 = _mm512_shuffle_f64x2(even4, even6, 0xEE);
    __m512d p02 = _mm512_shuffle_f64x2(odd0, odd2, 0xEE), p46 = _mm512_shuffle_f64x2(odd4, odd6, 0xEE);
    __m512d t;
    t = _mm512_shuffle_f64x2(e02, e46, 0x88), sum = _mm512_fmadd_pd(t, t, sum);
    t = _mm512_shuffle_f64x2(o02, o46, 0x88), sum = _mm512_fmadd_pd(t, t, sum);
    t = _mm512_shuffle_f64x2(e02, e46, 0xDD), sum = _mm512_fmadd_pd(t, t, sum);
    t = _mm512_shuffle_f64x2(o02, o46, 0xDD), sum = _mm512_fmadd_pd(t, t, sum);
    t = _mm512_shuffle_f64x2(f02, f46, 0x88), sum = _mm512_fmadd_pd(t, t, sum);
    t = _mm512_shuffle_f64x2(p02, p46, 0x88), sum = _mm512_fmadd_pd(t, t, sum);
    t = _mm512_shuffle_f64x2(f02, f46, 0xDD), sum = _mm512_fmadd_pd(t, t, sum);
    t = _mm512_shuffle_f64x2(p02, p46, 0xDD), sum = _mm512_fmadd_pd(t, t, sum);
  }
  _mm512_mask_storeu_pd(distance, static_cast<__mmask8>(head(count)), sum);
}

}  // namespace

const Tools avx512_tools = {collect, narrow, distances};

}  // namespace tessera::cpu::vq
