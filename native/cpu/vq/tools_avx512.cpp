// AVX-512: collecting candidates, fp32 narrowing, and the float64 contract.
#include "cpu/vq/avx512.h"

namespace tessera::cpu::vq {
namespace {

void bounds(const Codebook *codebook, const RowBound *row, float factor, int64_t first_panel, int64_t panels,
            float *error) {
  const __m512 by_norm = _mm512_set1_ps(row->by_norm), by_residual = _mm512_set1_ps(row->by_residual);
  const __m512 fixed = _mm512_set1_ps(row->fixed), times = _mm512_set1_ps(factor);
  for (int64_t p = 0; p < panels; p += kLanes) {
    __mmask16 mask = head(panels - p);
    int64_t panel = first_panel + p;
    __m512 sum = _mm512_add_ps(_mm512_maskz_loadu_ps(mask, codebook->constant + panel), fixed);
    sum = _mm512_fmadd_ps(by_residual, _mm512_maskz_loadu_ps(mask, codebook->residual + panel), sum);
    sum = _mm512_fmadd_ps(by_norm, _mm512_maskz_loadu_ps(mask, codebook->offset_norm + panel), sum);
    if (codebook->rest)
      sum = _mm512_fmadd_ps(_mm512_set1_ps(row->by_rest), _mm512_maskz_loadu_ps(mask, codebook->rest + panel), sum);
    _mm512_mask_storeu_ps(error + p, mask, _mm512_mul_ps(sum, times));
  }
}

// Eight rows times one vector of the basis, whose sums are independent; a last four rows are done alone.
template <int R>
TS_INLINE void project_rows(const Codebook *codebook, const Rows *rows, int64_t r, float *z, float *rest) {
  const int64_t pd = codebook->padded_d, d = codebook->d, coordinates = codebook->screened->d;
  const float *y = rows->centred + r * pd;
  __m512 square[R];
#pragma GCC unroll 8
  for (auto &s : square) s = _mm512_setzero_ps();
  for (int64_t v = 0; v < coordinates; v += kLanes) {
    const float *basis = codebook->basis + v * pd;
    __m512 sum[R];
#pragma GCC unroll 8
    for (auto &s : sum) s = _mm512_setzero_ps();
    for (int64_t i = 0; i < d; i++) {
      __m512 b = _mm512_load_ps(basis + i * kLanes);
#pragma GCC unroll 8
      for (int64_t j = 0; j < R; j++) sum[j] = _mm512_fmadd_ps(b, _mm512_set1_ps(y[j * pd + i]), sum[j]);
    }
#pragma GCC unroll 8
    for (int64_t j = 0; j < R; j++) {
      _mm512_store_ps(z + (r + j) * coordinates + v, sum[j]);
      square[j] = _mm512_fmadd_ps(sum[j], sum[j], square[j]);
    }
  }
#pragma GCC unroll 2
  for (int64_t j = 0; j < R; j += 4) {
    __m128 kept = reduce4(square[j], square[j + 1], square[j + 2], square[j + 3], Add());
    __m128 norm = _mm_loadu_ps(rows->norm + r + j);
    norm = _mm_mul_ps(norm, norm);
    __m128 left = _mm_fmadd_ps(_mm_set1_ps(codebook->basis_slack), norm, _mm_sub_ps(norm, kept));
    left = _mm_sqrt_ps(_mm_max_ps(left, _mm_setzero_ps()));
    _mm_storeu_ps(rest + r + j, _mm_mul_ps(left, _mm_set1_ps(1 + 0x1p-20f)));
  }
}

void project(const Codebook *codebook, const Rows *rows, int64_t count, float *z, float *rest) {
  int64_t r = 0;
  for (; r + 4 < count; r += 8) project_rows<8>(codebook, rows, r, z, rest);
  if (r < count) project_rows<4>(codebook, rows, r, z, rest);
}

// Of few panels many have a survivor, and each is appended without asking; of many, most groups of four panels have
// none and are passed over by their largest.
bool collect(const float *maxima, const float *error, int64_t first_panel, int64_t panels, float lower,
             Candidates *candidates) {
  constexpr int64_t kFew = 16;
  const __m512 threshold = _mm512_set1_ps(lower);
  int32_t *groups = candidates->group;  // copies: vector stores may alias anything
  float *uppers = candidates->upper;
  const int32_t capacity = candidates->capacity, first = static_cast<int32_t>(first_panel) * kLanes;
  int32_t count = candidates->count;
  auto upper_of = [&](int64_t p) __attribute__((always_inline)) {
    return _mm512_add_ps(_mm512_load_ps(maxima + p * kLanes), _mm512_set1_ps(error[p]));
  };
  for (int64_t p = 0; p < panels; p += 4) {
    const int64_t end = p + 4 < panels ? p + 4 : panels;
    if (panels > kFew && end == p + 4) {
      __m512 most =
          _mm512_max_ps(_mm512_max_ps(upper_of(p), upper_of(p + 1)), _mm512_max_ps(upper_of(p + 2), upper_of(p + 3)));
      if (!_mm512_cmp_ps_mask(most, threshold, _CMP_NLT_UQ)) continue;
    }
    if (count + 64 > capacity) return false;
    for (int64_t i = p; i < end; i++) {
      __m512 upper = upper_of(i);
      count = append(upper, _mm512_cmp_ps_mask(upper, threshold, _CMP_NLT_UQ), first + static_cast<int32_t>(i) * kLanes,
                     count, groups, uppers);
    }
  }
  candidates->count = count;
  return true;
}

int64_t filter(const Candidates *candidates, float lower, int32_t row, int32_t *groups, int32_t *rows) {
  const __m512 threshold = _mm512_set1_ps(lower);
  int64_t kept = 0;
  for (int64_t i = 0; i < candidates->count; i += kLanes) {
    __mmask16 keep = head(candidates->count - i);
    __m512i group = _mm512_maskz_loadu_epi32(keep, candidates->group + i);
    if (candidates->upper) {
      __m512 upper = _mm512_maskz_loadu_ps(keep, candidates->upper + i);
      keep = _mm512_mask_cmp_ps_mask(keep, upper, threshold, _CMP_NLT_UQ);
      group = _mm512_maskz_compress_epi32(keep, group);
    }
    int n = __builtin_popcount(keep);
    store_head(groups + kept, group, n);
    store_head(rows + kept, _mm512_set1_epi32(row), n);
    kept += n;
  }
  return kept;
}

// Dot products of a row with four codes, by lanes.
struct Sums {
  __m512 a, b, c, d;
};

TS_INLINE void add_products(__mmask16 mask, const float *y, const float *mean, __m512 scale, const float *const *c,
                            int64_t i, Sums *s) {
  __m512 v = _mm512_load_ps(y), m = _mm512_load_ps(mean);
  s->a = _mm512_fmadd_ps(v, _mm512_fmsub_ps(_mm512_maskz_loadu_ps(mask, c[0] + i), scale, m), s->a);
  s->b = _mm512_fmadd_ps(v, _mm512_fmsub_ps(_mm512_maskz_loadu_ps(mask, c[1] + i), scale, m), s->b);
  s->c = _mm512_fmadd_ps(v, _mm512_fmsub_ps(_mm512_maskz_loadu_ps(mask, c[2] + i), scale, m), s->c);
  s->d = _mm512_fmadd_ps(v, _mm512_fmsub_ps(_mm512_maskz_loadu_ps(mask, c[3] + i), scale, m), s->d);
}

// A group's codes lie anywhere in the codebook: the groups after next are asked for, unless they are long.
constexpr int64_t kAhead = 2, kPrefetched = 256;

// A group of four codes at a time; the codes are centred as they are read, which saves a centred copy of the codebook.
void narrow(const Narrowing *n) {
  const Codebook *codebook = n->codebook;
  const int64_t d = codebook->d, pd = codebook->padded_d, whole = d / kLanes * kLanes;
  const __mmask16 rest = head(d - whole);
  const float *mean = codebook->mean;
  const __m512 scale = _mm512_set1_ps(codebook->scale);
  // Copies: vector stores may alias anything.
  const int32_t *rows = n->row, *groups = n->group, *order = codebook->order;
  const float *codes = codebook->codes;
  const int64_t count = n->count;
  for (int64_t g = 0; g < count; g++) {
    if (g + kAhead < count && d <= kPrefetched) {
      const int64_t next = groups[g + kAhead];
      for (int64_t j = 0; j < 4; j++) {
        int32_t k = order[(next >> 4) * kPanel + (next & 15) + j * kLanes];
        const float *code = codes + int64_t{k < 0 ? 0 : k} * d;
        for (int64_t i = 0; i < d; i += kLanes) _mm_prefetch(code + i, _MM_HINT_T0);
      }
    }
    const int64_t r = rows[g], panel = groups[g] >> 4, slot = panel * kPanel + (groups[g] & 15);
    const float *y = n->centred + r * pd;
    const float *c[4];
    for (int64_t j = 0; j < 4; j++) {
      int32_t k = order[slot + j * kLanes];
      c[j] = codes + int64_t{k < 0 ? 0 : k} * d;  // padding: any code, its half norm rules it out
    }
    Sums s{_mm512_setzero_ps(), _mm512_setzero_ps(), _mm512_setzero_ps(), _mm512_setzero_ps()};
    for (int64_t i = 0; i < whole; i += kLanes) add_products(0xFFFF, y + i, mean + i, scale, c, i, &s);
    if (rest) add_products(rest, y + whole, mean + whole, scale, c, whole, &s);
    const float *half_norm = codebook->half_norm + slot;
    __m128 score =
        _mm_sub_ps(reduce4(s.a, s.b, s.c, s.d, Add()),
                   _mm_setr_ps(half_norm[0], half_norm[kLanes], half_norm[2 * kLanes], half_norm[3 * kLanes]));
    const RowBound *row = n->bounds + r;
    __m128 error =
        _mm_set1_ps((row->by_norm * codebook->norm[panel] + codebook->fp32_constant[panel] + row->fixed) * n->factor);
    _mm_store_ps(n->upper + g * kVectors, _mm_add_ps(score, error));
    _mm_store_ps(n->lower + g * kVectors, _mm_sub_ps(score, error));
  }
}

int64_t settle(const float *upper, const float *lower, int64_t count, float least, int32_t *left) {
  const __m512i lanes = _mm512_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15);
  __m512 best = _mm512_set1_ps(least);
  for (int64_t i = 0; i < count; i += kLanes)
    best = _mm512_mask_max_ps(best, head(count - i), best, _mm512_loadu_ps(lower + i));
  const __m512 threshold = _mm512_set1_ps(_mm512_reduce_max_ps(best));
  int64_t kept = 0;
  for (int64_t i = 0; i < count; i += kLanes) {
    __mmask16 keep = _mm512_mask_cmp_ps_mask(head(count - i), _mm512_loadu_ps(upper + i), threshold, _CMP_NLT_UQ);
    __m512i position = _mm512_add_epi32(lanes, _mm512_set1_epi32(static_cast<int>(i)));
    _mm512_storeu_si512(left + kept, _mm512_maskz_compress_epi32(keep, position));
    kept += __builtin_popcount(keep);
  }
  return kept;
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

const Tools avx512_tools = {bounds, project, collect, filter, narrow, settle, distances};

}  // namespace tessera::cpu::vq
