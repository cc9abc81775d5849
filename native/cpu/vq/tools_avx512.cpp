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

// The groups of four panels are 64 bits, of which one or two are set as a rule. Of few panels each four have some, and
// two are written without asking; of many, most have none.
bool collect(const float *maxima, const float *error, int64_t first_panel, int64_t panels, float lower,
             Candidates *candidates) {
  constexpr int64_t kFew = 16;
  const __m512 threshold = _mm512_set1_ps(lower);
  int32_t *groups = candidates->group;  // copies: vector stores may alias anything
  float *uppers = candidates->upper;
  const int32_t capacity = candidates->capacity;
  int32_t count = candidates->count;
  auto kept_of = [&](int64_t p) __attribute__((always_inline)) {
    __m512 upper = _mm512_add_ps(_mm512_load_ps(maxima + p * kLanes), _mm512_set1_ps(error[p]));
    return _mm512_cmp_ps_mask(upper, threshold, _CMP_NLT_UQ);
  };
  for (int64_t p = 0; p < panels; p += 4) {
    uint64_t keep = 0;
    if (p + 4 <= panels)
      keep =
          _mm512_kunpackd(_mm512_kunpackw(kept_of(p + 3), kept_of(p + 2)), _mm512_kunpackw(kept_of(p + 1), kept_of(p)));
    else
      for (int64_t i = p; i < panels; i++) keep |= uint64_t{kept_of(i)} << (i - p) * kLanes;
    if (panels > kFew && !keep) continue;
    if (count + 64 > capacity) return false;
    const auto first = static_cast<int32_t>((first_panel + p) * kLanes);
    const auto kept = static_cast<int32_t>(__builtin_popcountll(keep));
    if (uppers) {
      int32_t at = count;
      for (uint64_t left = keep; left; left &= left - 1, at++) {
        const auto group = static_cast<int64_t>(_tzcnt_u64(left)) + p * kLanes;
        uppers[at] = maxima[group] + error[group / kLanes];
      }
    }
    // tzcnt of nothing is 64, which is not counted.
    uint64_t two = _tzcnt_u64(keep);
    keep &= keep - 1;
    two |= _tzcnt_u64(keep) << 32;
    keep &= keep - 1;
    two += static_cast<uint64_t>(first) << 32 | static_cast<uint64_t>(first);
    __builtin_memcpy(groups + count, &two, sizeof two);
    for (int32_t at = count + 2; keep; keep &= keep - 1) groups[at++] = first + static_cast<int32_t>(_tzcnt_u64(keep));
    count += kept;
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

// A group of four codes at a time.
void narrow(const Narrowing *narrowing) {
  const Narrowing n = *narrowing;  // copies: vector stores may alias anything
  const Codebook codebook = *n.codebook;
  const int64_t pd = codebook.padded_d;
  for (int64_t g = 0; g < n.count; g++) {
    const int64_t r = n.row[g], panel = n.group[g] / kLanes;
    const float *y = n.centred + r * pd, *c = codebook.centred + n.group[g] * kVectors * pd;
    __m512 s0 = _mm512_setzero_ps(), s1 = s0, s2 = s0, s3 = s0;
    for (int64_t i = 0; i < pd; i += kLanes) {
      __m512 v = _mm512_load_ps(y + i);
      s0 = _mm512_fmadd_ps(v, _mm512_load_ps(c + i), s0);
      s1 = _mm512_fmadd_ps(v, _mm512_load_ps(c + pd + i), s1);
      s2 = _mm512_fmadd_ps(v, _mm512_load_ps(c + 2 * pd + i), s2);
      s3 = _mm512_fmadd_ps(v, _mm512_load_ps(c + 3 * pd + i), s3);
    }
    const float *half_norm = codebook.half_norm + panel * kPanel + n.group[g] % kLanes;
    __m128 score =
        _mm_sub_ps(reduce4(s0, s1, s2, s3, Add()),
                   _mm_setr_ps(half_norm[0], half_norm[kLanes], half_norm[2 * kLanes], half_norm[3 * kLanes]));
    const RowBound *row = n.bounds + r;
    __m128 error =
        _mm_set1_ps((row->by_norm * codebook.norm[panel] + codebook.fp32_constant[panel] + row->fixed) * n.factor);
    _mm_store_ps(n.upper + g * kVectors, _mm_add_ps(score, error));
    _mm_store_ps(n.lower + g * kVectors, _mm_sub_ps(score, error));
  }
}

void settle(const Settling *settling) {
  const Settling s = *settling;  // a copy: vector stores may alias anything
  const __m512i lanes = _mm512_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15);
  int32_t kept = 0;
  for (int64_t r = 0; r < s.rows; r++) {
    s.left_starts[r] = kept;
    const int32_t begin = s.starts[r] * kVectors, end = s.starts[r + 1] * kVectors;
    __m512 best = _mm512_set1_ps(s.least[r]);
    for (int32_t i = begin; i < end; i += kLanes)
      best = _mm512_mask_max_ps(best, head(end - i), best, _mm512_loadu_ps(s.lower + i));
    const __m512 threshold = _mm512_set1_ps(_mm512_reduce_max_ps(best));
    for (int32_t i = begin; i < end; i += kLanes) {
      __mmask16 keep = _mm512_mask_cmp_ps_mask(head(end - i), _mm512_loadu_ps(s.upper + i), threshold, _CMP_NLT_UQ);
      __m512i place = _mm512_add_epi32(lanes, _mm512_set1_epi32(i));
      int n = __builtin_popcount(keep);
      store_head(s.left + kept, _mm512_maskz_compress_epi32(keep, place), n);
      kept += n;
    }
  }
  s.left_starts[s.rows] = kept;
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
