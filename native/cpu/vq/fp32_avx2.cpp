// fp32-avx2: 6 rows x 16 codes of fp32 scores in 12 registers of eight.
//
// Panel: 4 strips of 16 codes, each [d][16] fp32. A step over one dimension reads 2 vectors of codes and broadcasts 6
// numbers of rows for 12 fma: 12 of the 16 registers accumulate, 2 hold codes, 1 a row's number. Four strips give a
// panel's group maxima, which pass through memory.
#include <immintrin.h>

#include "cpu/vq/family.h"
#include "cpu/vq/features.h"

namespace tessera::cpu::vq {
namespace {

constexpr int64_t kTileRows = 6;

double rounding(int64_t d) { return static_cast<double>(d + 1); }
int64_t row_bytes(int64_t) { return 0; }
int64_t panel_bytes(int64_t d) { return d * kPanel * static_cast<int64_t>(sizeof(float)); }
float panel_scale(float) { return 1.0f; }

double pack(const double *centred, int64_t d, float, std::byte *panel, int64_t slot, double *norm) {
  auto *out = reinterpret_cast<float *>(panel) + slot / kLanes * kLanes * d + slot % kLanes;
  double residual = 0, square = 0;
  for (int64_t i = 0; i < d; i++) {
    auto rounded = static_cast<float>(centred[i]);
    out[i * kLanes] = rounded;
    double difference = centred[i] - static_cast<double>(rounded);
    residual += difference * difference;
    square += static_cast<double>(rounded) * static_cast<double>(rounded);
  }
  *norm = __builtin_sqrt(square);
  return __builtin_sqrt(residual);
}

void convert(const Codebook *codebook, const float *x, int64_t rows, const Rows *out) {
  const int64_t d = codebook->d;
  const __m256 scale = _mm256_set1_ps(codebook->scale);
  const __m256i lanes = _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7);
  for (int64_t r = 0; r < rows; r++) {
    const float *row = x + r * d;
    float *y = out->centred + r * codebook->padded_d;
    __m256 square = _mm256_setzero_ps();
    for (int64_t i = 0; i < codebook->padded_d; i += 8) {
      int64_t left = d - i < 8 ? d - i : 8;
      __m256i mask = _mm256_cmpgt_epi32(_mm256_set1_epi32(static_cast<int>(left)), lanes);
      __m256 v = _mm256_maskload_ps(row + i, mask);
      v = _mm256_fmsub_ps(v, scale, _mm256_load_ps(codebook->mean + i));  // one rounding
      _mm256_store_ps(y + i, v);
      square = _mm256_fmadd_ps(v, v, square);
    }
    __m128 sum = _mm_add_ps(_mm256_castps256_ps128(square), _mm256_extractf128_ps(square, 1));
    sum = _mm_hadd_ps(sum, sum);
    sum = _mm_hadd_ps(sum, sum);
    // The sum's roundings, and squares that underflow: docs/kernels.md, "Norms of a row".
    float norm = __builtin_sqrtf(_mm_cvtss_f32(sum));
    norm = norm * (1 + static_cast<float>(d + 64) * 0x1p-24f) + 0x1p-55f;
    out->norm[r] = norm;
    out->residual[r] = norm * 0x1p-24f + 0x1p-55f;
  }
}

// R rows against one strip. The first strip of a panel starts the maxima, the others raise them.
template <int R>
void score_strip(const float *strip, const float *half_norm, const float *y, int64_t padded_d, int64_t d, float *maxima,
                 int64_t maxima_stride, bool first) {
  __m256 a[R][2];
  __m256 start0 = _mm256_sub_ps(_mm256_setzero_ps(), _mm256_load_ps(half_norm));
  __m256 start1 = _mm256_sub_ps(_mm256_setzero_ps(), _mm256_load_ps(half_norm + 8));
#pragma GCC unroll 6
  for (int r = 0; r < R; r++) a[r][0] = start0, a[r][1] = start1;
#pragma GCC unroll 2
  for (int64_t i = 0; i < d; i++, strip += kLanes) {
    __m256 c0 = _mm256_load_ps(strip), c1 = _mm256_load_ps(strip + 8);
#pragma GCC unroll 6
    for (int r = 0; r < R; r++) {
      __m256 v = _mm256_broadcast_ss(y + r * padded_d + i);
      a[r][0] = _mm256_fmadd_ps(v, c0, a[r][0]);
      a[r][1] = _mm256_fmadd_ps(v, c1, a[r][1]);
    }
  }
#pragma GCC unroll 6
  for (int r = 0; r < R; r++) {
    float *out = maxima + r * maxima_stride;
    if (!first) {
      a[r][0] = _mm256_max_ps(a[r][0], _mm256_load_ps(out));
      a[r][1] = _mm256_max_ps(a[r][1], _mm256_load_ps(out + 8));
    }
    _mm256_store_ps(out, a[r][0]);
    _mm256_store_ps(out + 8, a[r][1]);
  }
}

float largest(__m256 m) {
  __m128 half = _mm_max_ps(_mm256_castps256_ps128(m), _mm256_extractf128_ps(m, 1));
  half = _mm_max_ps(half, _mm_movehl_ps(half, half));
  return _mm_cvtss_f32(_mm_max_ss(half, _mm_shuffle_ps(half, half, 1)));
}

template <int R>
void screen_rows(const Tile *tile) {
  const Codebook *codebook = tile->codebook;
  const int64_t d = codebook->d, pd = codebook->padded_d, bytes = panel_bytes(d), stride = tile->stride;
  const float *y = tile->rows->centred + tile->first_row * pd, *error = tile->error;
  __m256 best[R];
  for (int r = 0; r < R; r++) best[r] = _mm256_set1_ps(tile->lower[r]);
  for (int64_t p = 0; p < tile->panels; p++) {
    int64_t index = tile->first_panel + p;
    const auto *panel = reinterpret_cast<const float *>(codebook->packed + index * bytes);
    float *maxima = tile->maxima + p * kLanes;
    for (int j = 0; j < kVectors; j++)
      score_strip<R>(panel + j * kLanes * d, codebook->half_norm + index * kPanel + j * kLanes, y, pd, d, maxima,
                     stride * kLanes, j == 0);
    for (int r = 0; r < R; r++) {
      const float *m = maxima + r * stride * kLanes;
      __m256 most = _mm256_max_ps(_mm256_load_ps(m), _mm256_load_ps(m + 8));
      best[r] = _mm256_max_ps(best[r], _mm256_sub_ps(most, _mm256_broadcast_ss(error + r * stride + p)));
    }
  }
  for (int r = 0; r < R; r++) tile->lower[r] = largest(best[r]);
}

void screen(const Tile *tile, int64_t rows) {
  switch (rows) {
    case 1:
      return screen_rows<1>(tile);
    case 2:
      return screen_rows<2>(tile);
    case 3:
      return screen_rows<3>(tile);
    case 4:
      return screen_rows<4>(tile);
    case 5:
      return screen_rows<5>(tile);
    default:
      return screen_rows<6>(tile);
  }
}

}  // namespace

const Family fp32_avx2_family = {"fp32-avx2", has_avx2,          &avx2_tools, kTileRows, rounding,    false,
                                 false,       &fp32_avx2_family, nullptr,     row_bytes, panel_bytes, panel_scale,
                                 pack,        nullptr,           convert,     screen};

}  // namespace tessera::cpu::vq
