// Pieces that the AVX-512 files share. Everything is inlined and has internal linkage, so that no copy compiled for
// AVX-512 can be linked into code for other processors.
#pragma once

#include <immintrin.h>

#include "cpu/vq/family.h"

namespace tessera::cpu::vq {
namespace {

#define TS_INLINE [[gnu::always_inline, maybe_unused]] inline

// A mask of the first n of 16 lanes.
TS_INLINE __mmask16 head(int64_t n) { return static_cast<__mmask16>(n >= 16 ? 0xFFFF : (1 << n) - 1); }

struct Add {
  TS_INLINE __m512 operator()(__m512 a, __m512 b) const { return _mm512_add_ps(a, b); }
};
struct Max {
  TS_INLINE __m512 operator()(__m512 a, __m512 b) const { return _mm512_max_ps(a, b); }
};

// Sums, or maxima, over the lanes of four vectors, as one vector of four. Five roundings on any path.
template <class Op>
TS_INLINE __m128 reduce4(__m512 a, __m512 b, __m512 c, __m512 d, Op op) {
  __m512 ab = op(_mm512_unpacklo_ps(a, b), _mm512_unpackhi_ps(a, b));
  __m512 cd = op(_mm512_unpacklo_ps(c, d), _mm512_unpackhi_ps(c, d));
  __m512 abcd = op(_mm512_castpd_ps(_mm512_unpacklo_pd(_mm512_castps_pd(ab), _mm512_castps_pd(cd))),
                   _mm512_castpd_ps(_mm512_unpackhi_pd(_mm512_castps_pd(ab), _mm512_castps_pd(cd))));
  __m512 half = op(abcd, _mm512_shuffle_f32x4(abcd, abcd, 0x4E));
  return _mm512_castps512_ps128(op(half, _mm512_shuffle_f32x4(half, half, 0xB1)));
}

// Where a tile's kernel leaves what it finds. A copy of the tile's pointers: vector stores may alias anything, and the
// compiler would read the tile again after each.
struct Findings {
  float *maxima;
  const float *error;
  int64_t stride;
};

// `m` has the largest score of each group of row r in panel p.
TS_INLINE void leave(const Findings &findings, int64_t r, int64_t p, __m512 m, __m512 *best) {
  const int64_t at = r * findings.stride + p;
  _mm512_store_ps(findings.maxima + at * kLanes, m);
  best[r] = _mm512_max_ps(best[r], _mm512_sub_ps(m, _mm512_set1_ps(findings.error[at])));
}

// Stores at least the first n lanes. Few are wanted as a rule, and a narrow store crosses fewer cache lines.
TS_INLINE void store_head(void *at, __m512i lanes, int n) {
  if (n <= 4)
    _mm_storeu_si128(static_cast<__m128i *>(at), _mm512_castsi512_si128(lanes));
  else
    _mm512_storeu_si512(at, lanes);
}

// Appends the lanes of `upper` in `keep`, groups of the panel whose first group is `first`.
TS_INLINE int32_t append(__m512 upper, __mmask16 keep, int32_t first, int32_t count, int32_t *groups, float *uppers) {
  const __m512i lanes = _mm512_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15);
  // Compressed in a register and stored whole: compressing into memory is microcode on Zen 4.
  int kept = __builtin_popcount(keep);
  __m512i group = _mm512_add_epi32(lanes, _mm512_set1_epi32(first));
  store_head(groups + count, _mm512_maskz_compress_epi32(keep, group), kept);
  if (uppers) store_head(uppers + count, _mm512_castps_si512(_mm512_maskz_compress_ps(keep, upper)), kept);
  return count + kept;
}

// 16 numbers of a row, centred with one rounding, and stored; adds their squares.
TS_INLINE __m512 centre(__mmask16 mask, const float *x, const float *mean, __m512 scale, float *y, __m512 *square) {
  __m512 v = _mm512_fmsub_ps(_mm512_maskz_loadu_ps(mask, x), scale, _mm512_load_ps(mean));
  _mm512_store_ps(y, v);
  *square = _mm512_fmadd_ps(v, v, *square);
  return v;
}

// Upper bounds on the norms whose squares were summed in fp32: docs/kernels.md, "Norms of a row".
TS_INLINE __m128 norm_above(__m128 square, int64_t d) {
  const __m128 inflate = _mm_set1_ps(1 + static_cast<float>(d + 64) * 0x1p-24f);
  return _mm_fmadd_ps(_mm_sqrt_ps(square), inflate, _mm_set1_ps(0x1p-55f));
}

}  // namespace
}  // namespace tessera::cpu::vq
