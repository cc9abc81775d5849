// AVX-512: what the search asks of a clustered codebook's centres. docs/kernels.md, "Clusters".
#include "cpu/vq/avx512.h"

namespace tessera::cpu::vq {
namespace {

// Four rows times four vectors of centres.
constexpr int kCentreRows = 4, kCentreVectors = 4;

template <int V>
TS_INLINE void centre_products_block(const float *y, int64_t pd, const float *centres, float *out, int64_t stride) {
  __m512 sum[kCentreRows][V];
#pragma GCC unroll 4
  for (auto &row : sum)
#pragma GCC unroll 4
    for (auto &s : row) s = _mm512_setzero_ps();
  for (int64_t i = 0; i < pd; i++) {
    __m512 m[V];
#pragma GCC unroll 4
    for (int v = 0; v < V; v++) m[v] = _mm512_load_ps(centres + (v * pd + i) * kLanes);
#pragma GCC unroll 4
    for (int r = 0; r < kCentreRows; r++) {
      __m512 x = _mm512_set1_ps(y[r * pd + i]);
#pragma GCC unroll 4
      for (int v = 0; v < V; v++) sum[r][v] = _mm512_fmadd_ps(x, m[v], sum[r][v]);
    }
  }
#pragma GCC unroll 4
  for (int r = 0; r < kCentreRows; r++)
#pragma GCC unroll 4
    for (int v = 0; v < V; v++) _mm512_store_ps(out + r * stride + v * kLanes, sum[r][v]);
}

// `centred` and `out` have room for a multiple of four rows; what lies past the last row is not looked at.
void centre_products(const Codebook *codebook, const float *centred, int64_t rows, float *out, int64_t stride) {
  const int64_t pd = codebook->padded_d, vectors = (codebook->panels + kLanes - 1) / kLanes;
  for (int64_t v = 0; v < vectors; v += kCentreVectors) {
    const float *centres = codebook->centres + v * pd * kLanes;
    for (int64_t r = 0; r < rows; r += kCentreRows) {
      const float *y = centred + r * pd;
      float *to = out + r * stride + v * kLanes;
      switch (vectors - v) {
        case 1:
          centre_products_block<1>(y, pd, centres, to, stride);
          break;
        case 2:
          centre_products_block<2>(y, pd, centres, to, stride);
          break;
        case 3:
          centre_products_block<3>(y, pd, centres, to, stride);
          break;
        default:
          centre_products_block<4>(y, pd, centres, to, stride);
      }
    }
  }
}

// The panel whose centre is nearest: the largest <y, m> - 1/2 |m|^2, the first of equal ones.
int32_t nearest(const Codebook *codebook, const float *products) {
  __m512 best = _mm512_set1_ps(-__builtin_inff());
  __m512i at = _mm512_setzero_si512();
  const __m512i lanes = _mm512_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15);
  for (int64_t p = 0; p < codebook->panels; p += kLanes) {
    __m512 score = _mm512_sub_ps(_mm512_load_ps(products + p), _mm512_load_ps(codebook->centre_half + p));
    __mmask16 better = _mm512_mask_cmp_ps_mask(head(codebook->panels - p), score, best, _CMP_GT_OQ);
    best = _mm512_mask_mov_ps(best, better, score);
    at = _mm512_mask_mov_epi32(at, better, _mm512_add_epi32(lanes, _mm512_set1_epi32(static_cast<int>(p))));
  }
  __mmask16 winners = _mm512_cmp_ps_mask(best, _mm512_set1_ps(_mm512_reduce_max_ps(best)), _CMP_EQ_OQ);
  return static_cast<int32_t>(_mm512_mask_reduce_min_epu32(winners, at));
}

// Upper bounds on |y - m| for 16 panels; |y - m|^2 = |y|^2 - 2 (<y, m> - 1/2 |m|^2) up to `margin`.
TS_INLINE __m512 distances_above(__m512 square, __m512 score, __m512 margin) {
  __m512 d = _mm512_add_ps(_mm512_sub_ps(square, _mm512_add_ps(score, score)), _mm512_add_ps(margin, margin));
  return _mm512_mul_ps(_mm512_sqrt_ps(_mm512_max_ps(d, _mm512_setzero_ps())), _mm512_set1_ps(1 + 0x1p-20f));
}

// The largest score in a ball around a centre: with t = min(r, |y - m|),
//   v <= <y, m> - 1/2 |m|^2 + t (|y - m| - t / 2)
void reach(const Codebook *codebook, const Reach *row, const float *products, int64_t first_panel, int64_t panels,
           uint16_t *reached) {
  const __m512 norm = _mm512_set1_ps(row->norm), square = _mm512_set1_ps(row->norm * row->norm);
  const __m512 slack = _mm512_set1_ps(row->slack), lower = _mm512_set1_ps(row->lower);
  const __m512 half = _mm512_set1_ps(0.5f);
  for (int64_t i = 0; i < panels; i += kLanes) {
    const int64_t p = first_panel + i;
    const __mmask16 mask = head(panels - i);
    const __m512 radius = _mm512_maskz_loadu_ps(mask, codebook->offset_norm + p);
    __m512 all = _mm512_add_ps(_mm512_add_ps(norm, radius), _mm512_maskz_loadu_ps(mask, codebook->centre_norm + p));
    const __m512 margin = _mm512_mul_ps(slack, _mm512_mul_ps(all, all));
    const __m512 score = _mm512_sub_ps(_mm512_maskz_loadu_ps(mask, products + p),
                                       _mm512_maskz_loadu_ps(mask, codebook->centre_half + p));
    const __m512 distance = distances_above(square, score, margin);
    const __m512 t = _mm512_min_ps(radius, distance);
    __m512 upper = _mm512_fmadd_ps(t, _mm512_fnmadd_ps(half, t, distance), score);
    upper = _mm512_add_ps(upper, margin);
    reached[i / kLanes] |= static_cast<uint16_t>(_mm512_mask_cmp_ps_mask(mask, upper, lower, _CMP_NLT_UQ));
  }
}

void prepare(const Codebook *codebook, const RowBound *row, float factor, const Reach *limits, const float *products,
             int64_t first_panel, int64_t panels, const uint16_t *reached, float *error, float *centre) {
  const __m512 norm = _mm512_set1_ps(limits->norm), square = _mm512_set1_ps(limits->norm * limits->norm);
  const __m512 slack = _mm512_set1_ps(limits->slack), by_norm = _mm512_set1_ps(row->by_norm);
  const __m512 by_centre = _mm512_set1_ps(row->by_centre);
  const __m512 fixed = _mm512_set1_ps(row->fixed), times = _mm512_set1_ps(factor);
  int64_t count = 0;
  for (int64_t i = 0; i < panels; i += kLanes) {
    const __mmask16 keep = reached[i / kLanes];
    if (!keep) continue;
    const int64_t p = first_panel + i;
    __m512 sum = _mm512_add_ps(_mm512_maskz_loadu_ps(keep, codebook->constant + p), fixed);
    const __m512 radius = _mm512_maskz_loadu_ps(keep, codebook->offset_norm + p);
    const __m512 centre_norm = _mm512_maskz_loadu_ps(keep, codebook->centre_norm + p);
    const __m512 product = _mm512_maskz_loadu_ps(keep, products + p);
    const __m512 score = _mm512_sub_ps(product, _mm512_maskz_loadu_ps(keep, codebook->centre_half + p));
    const __m512 all = _mm512_add_ps(_mm512_add_ps(norm, radius), centre_norm);
    const __m512 distance = distances_above(square, score, _mm512_mul_ps(slack, _mm512_mul_ps(all, all)));
    sum = _mm512_fmadd_ps(distance, _mm512_maskz_loadu_ps(keep, codebook->residual + p), sum);
    sum = _mm512_fmadd_ps(by_norm, radius, sum);
    sum = _mm512_fmadd_ps(by_centre, centre_norm, sum);
    // Whole vectors: what is past the kept ones is written over by the next.
    _mm512_storeu_ps(error + count, _mm512_maskz_compress_ps(keep, _mm512_mul_ps(sum, times)));
    _mm512_storeu_ps(centre + count, _mm512_maskz_compress_ps(keep, product));
    count += __builtin_popcount(keep);
  }
}

bool collect(const float *maxima, const float *error, const int32_t *panel, int64_t panels, float lower,
             Candidates *candidates) {
  const __m512 threshold = _mm512_set1_ps(lower);
  int32_t *groups = candidates->group;  // copies: vector stores may alias anything
  float *uppers = candidates->upper;
  const int32_t capacity = candidates->capacity;
  int32_t count = candidates->count;
  for (int64_t p = 0; p < panels; p++) {
    __m512 upper = _mm512_add_ps(_mm512_load_ps(maxima + p * kLanes), _mm512_set1_ps(error[p]));
    __mmask16 keep = _mm512_cmp_ps_mask(upper, threshold, _CMP_NLT_UQ);
    if (!keep) continue;
    if (count + kLanes > capacity) return false;
    count = append(upper, keep, panel[p] * kLanes, count, groups, uppers);
  }
  candidates->count = count;
  return true;
}

}  // namespace

const ClusterTools avx512_cluster_tools = {centre_products, nearest, reach, prepare, collect};

}  // namespace tessera::cpu::vq
