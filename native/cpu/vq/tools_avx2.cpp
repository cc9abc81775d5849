// AVX2 and FMA: collecting candidates, fp32 narrowing, and the float64 contract.
#include <immintrin.h>

#include "cpu/vq/family.h"

namespace tessera::cpu::vq {
namespace {

// The first n of 8 lanes.
__m256i head(int64_t n) {
  return _mm256_cmpgt_epi32(_mm256_set1_epi32(static_cast<int>(n < 8 ? n : 8)),
                            _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7));
}

void bounds(const Codebook *codebook, const RowBound *row, float factor, int64_t first_panel, int64_t panels,
            float *error) {
  const __m256 by_norm = _mm256_set1_ps(row->by_norm), by_residual = _mm256_set1_ps(row->by_residual);
  const __m256 fixed = _mm256_set1_ps(row->fixed), times = _mm256_set1_ps(factor);
  for (int64_t p = 0; p < panels; p += 8) {
    __m256i mask = head(panels - p);
    int64_t panel = first_panel + p;
    __m256 sum = _mm256_add_ps(_mm256_maskload_ps(codebook->constant + panel, mask), fixed);
    sum = _mm256_fmadd_ps(by_residual, _mm256_maskload_ps(codebook->residual + panel, mask), sum);
    sum = _mm256_fmadd_ps(by_norm, _mm256_maskload_ps(codebook->offset_norm + panel, mask), sum);
    if (codebook->rest)
      sum = _mm256_fmadd_ps(_mm256_set1_ps(row->by_rest), _mm256_maskload_ps(codebook->rest + panel, mask), sum);
    _mm256_maskstore_ps(error + p, mask, _mm256_mul_ps(sum, times));
  }
}

// Four rows times two vectors of the basis.
void project(const Codebook *codebook, const Rows *rows, int64_t count, float *z, float *rest) {
  const int64_t pd = codebook->padded_d, d = codebook->d, coordinates = codebook->screened->d;
  for (int64_t r = 0; r < count; r += 4) {
    const float *y = rows->centred + r * pd;
    __m256 square[4];
    for (auto &s : square) s = _mm256_setzero_ps();
    for (int64_t v = 0; v < coordinates; v += kLanes) {
      const float *basis = codebook->basis + v * pd;
      __m256 sum[4][2];
#pragma GCC unroll 4
      for (auto &s : sum) s[0] = s[1] = _mm256_setzero_ps();
      for (int64_t i = 0; i < d; i++) {
        __m256 b0 = _mm256_load_ps(basis + i * kLanes), b1 = _mm256_load_ps(basis + i * kLanes + 8);
#pragma GCC unroll 4
        for (int64_t j = 0; j < 4; j++) {
          __m256 x = _mm256_broadcast_ss(y + j * pd + i);
          sum[j][0] = _mm256_fmadd_ps(x, b0, sum[j][0]);
          sum[j][1] = _mm256_fmadd_ps(x, b1, sum[j][1]);
        }
      }
#pragma GCC unroll 4
      for (int64_t j = 0; j < 4; j++) {
        _mm256_store_ps(z + (r + j) * coordinates + v, sum[j][0]);
        _mm256_store_ps(z + (r + j) * coordinates + v + 8, sum[j][1]);
        square[j] = _mm256_fmadd_ps(sum[j][0], sum[j][0], square[j]);
        square[j] = _mm256_fmadd_ps(sum[j][1], sum[j][1], square[j]);
      }
    }
    __m256 all = _mm256_hadd_ps(_mm256_hadd_ps(square[0], square[1]), _mm256_hadd_ps(square[2], square[3]));
    __m128 kept = _mm_add_ps(_mm256_castps256_ps128(all), _mm256_extractf128_ps(all, 1));
    __m128 norm = _mm_loadu_ps(rows->norm + r);
    norm = _mm_mul_ps(norm, norm);
    __m128 left = _mm_fmadd_ps(_mm_set1_ps(codebook->basis_slack), norm, _mm_sub_ps(norm, kept));
    left = _mm_sqrt_ps(_mm_max_ps(left, _mm_setzero_ps()));
    _mm_storeu_ps(rest + r, _mm_mul_ps(left, _mm_set1_ps(1 + 0x1p-20f)));
  }
}

bool collect(const float *maxima, const float *error, int64_t first_panel, int64_t panels, float lower,
             Candidates *candidates) {
  const __m256 threshold = _mm256_set1_ps(lower);
  for (int64_t p = 0; p < panels; p++) {
    __m256 bound = _mm256_set1_ps(error[p]);
    __m256 low = _mm256_add_ps(_mm256_load_ps(maxima + p * kLanes), bound);
    __m256 high = _mm256_add_ps(_mm256_load_ps(maxima + p * kLanes + 8), bound);
    int keep = _mm256_movemask_ps(_mm256_cmp_ps(low, threshold, _CMP_NLT_UQ));  // a NaN stays
    keep |= _mm256_movemask_ps(_mm256_cmp_ps(high, threshold, _CMP_NLT_UQ)) << 8;
    if (!keep) continue;
    alignas(32) float upper[kLanes];
    _mm256_store_ps(upper, low);
    _mm256_store_ps(upper + 8, high);
    for (; keep; keep &= keep - 1) {
      int lane = __builtin_ctz(static_cast<unsigned>(keep));
      if (candidates->count == candidates->capacity) return false;
      candidates->group[candidates->count] = static_cast<int32_t>((first_panel + p) * kLanes + lane);
      if (candidates->upper) candidates->upper[candidates->count] = upper[lane];
      candidates->count++;
    }
  }
  return true;
}

int64_t filter(const Candidates *candidates, float lower, int32_t row, int32_t *groups, int32_t *rows) {
  int64_t kept = 0;
  for (int32_t i = 0; i < candidates->count; i++) {
    rows[kept] = row;
    groups[kept] = candidates->group[i];
    kept += !(candidates->upper && candidates->upper[i] < lower);  // a NaN stays
  }
  return kept;
}

// A group of four codes at a time.
void narrow(const Narrowing *n) {
  const Codebook *codebook = n->codebook;
  const int64_t pd = codebook->padded_d;
  for (int64_t g = 0; g < n->count; g++) {
    const int64_t r = n->row[g], panel = n->group[g] / kLanes, slot = panel * kPanel + n->group[g] % kLanes;
    const float *y = n->centred + r * pd, *c = codebook->centred + n->group[g] * kVectors * pd;
    __m256 s0 = _mm256_setzero_ps(), s1 = s0, s2 = s0, s3 = s0;
    for (int64_t i = 0; i < pd; i += 8) {
      __m256 v = _mm256_load_ps(y + i);
      s0 = _mm256_fmadd_ps(v, _mm256_load_ps(c + i), s0);
      s1 = _mm256_fmadd_ps(v, _mm256_load_ps(c + pd + i), s1);
      s2 = _mm256_fmadd_ps(v, _mm256_load_ps(c + 2 * pd + i), s2);
      s3 = _mm256_fmadd_ps(v, _mm256_load_ps(c + 3 * pd + i), s3);
    }
    __m256 sum = _mm256_hadd_ps(_mm256_hadd_ps(s0, s1), _mm256_hadd_ps(s2, s3));
    __m128 score = _mm_add_ps(_mm256_castps256_ps128(sum), _mm256_extractf128_ps(sum, 1));
    const float *half_norm = codebook->half_norm + slot;
    score =
        _mm_sub_ps(score, _mm_setr_ps(half_norm[0], half_norm[kLanes], half_norm[2 * kLanes], half_norm[3 * kLanes]));
    const RowBound *row = n->bounds + r;
    __m128 error =
        _mm_set1_ps((row->by_norm * codebook->norm[panel] + codebook->fp32_constant[panel] + row->fixed) * n->factor);
    _mm_store_ps(n->upper + g * kVectors, _mm_add_ps(score, error));
    _mm_store_ps(n->lower + g * kVectors, _mm_sub_ps(score, error));
  }
}

void settle(const Settling *s) {
  int32_t kept = 0;
  for (int64_t r = 0; r < s->rows; r++) {
    s->left_starts[r] = kept;
    const int32_t begin = s->starts[r] * kVectors, end = s->starts[r + 1] * kVectors;
    __m128 best = _mm_set1_ps(s->least[r]);
    for (int32_t i = begin; i < end; i += kVectors) best = _mm_max_ps(best, _mm_load_ps(s->lower + i));
    best = _mm_max_ps(best, _mm_movehl_ps(best, best));
    best = _mm_max_ss(best, _mm_shuffle_ps(best, best, 1));
    const float least = _mm_cvtss_f32(best);
    for (int32_t i = begin; i < end; i++) {
      s->left[kept] = i;
      kept += !(s->upper[i] < least);  // a NaN stays
    }
  }
  s->left_starts[s->rows] = kept;
}

__m256d difference(const float *x, const float *c) {
  return _mm256_sub_pd(_mm256_cvtps_pd(_mm_loadu_ps(x)), _mm256_cvtps_pd(_mm_loadu_ps(c)));
}

// Four pairs in the four lanes, each adding its own terms in ascending d: the contract's order. Blocks of 4 x 4 are
// transposed.
void distances4(const float *const *x, const float *const *c, int64_t count, int64_t d, double *distance) {
  const float *xs[4], *cs[4];
  for (int64_t i = 0; i < 4; i++) {
    xs[i] = x[i < count ? i : 0];
    cs[i] = c[i < count ? i : 0];
  }
  __m256d sum = _mm256_setzero_pd();
  int64_t i = 0;
  for (; i + 4 <= d; i += 4) {
    __m256d r0 = difference(xs[0] + i, cs[0] + i), r1 = difference(xs[1] + i, cs[1] + i);
    __m256d r2 = difference(xs[2] + i, cs[2] + i), r3 = difference(xs[3] + i, cs[3] + i);
    __m256d even0 = _mm256_unpacklo_pd(r0, r1), odd0 = _mm256_unpackhi_pd(r0, r1);
    __m256d even2 = _mm256_unpacklo_pd(r2, r3), odd2 = _mm256_unpackhi_pd(r2, r3);
    __m256d t;
    t = _mm256_permute2f128_pd(even0, even2, 0x20), sum = _mm256_fmadd_pd(t, t, sum);
    t = _mm256_permute2f128_pd(odd0, odd2, 0x20), sum = _mm256_fmadd_pd(t, t, sum);
    t = _mm256_permute2f128_pd(even0, even2, 0x31), sum = _mm256_fmadd_pd(t, t, sum);
    t = _mm256_permute2f128_pd(odd0, odd2, 0x31), sum = _mm256_fmadd_pd(t, t, sum);
  }
  for (; i < d; i++) {
    __m256d v = _mm256_cvtps_pd(_mm_setr_ps(xs[0][i], xs[1][i], xs[2][i], xs[3][i]));
    __m256d t = _mm256_sub_pd(v, _mm256_cvtps_pd(_mm_setr_ps(cs[0][i], cs[1][i], cs[2][i], cs[3][i])));
    sum = _mm256_fmadd_pd(t, t, sum);
  }
  alignas(32) double out[4];
  _mm256_store_pd(out, sum);
  for (int64_t n = 0; n < 4 && n < count; n++) distance[n] = out[n];
}

void distances(const float *const *x, const float *const *c, int64_t count, int64_t d, double *distance) {
  for (int64_t n = 0; n < count; n += 4) distances4(x + n, c + n, count - n, d, distance + n);
}

}  // namespace

const Tools avx2_tools = {bounds, project, collect, filter, narrow, settle, distances};

}  // namespace tessera::cpu::vq
