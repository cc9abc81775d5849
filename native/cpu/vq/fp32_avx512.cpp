// fp32-avx512: 6 rows x 64 codes of fp32 scores in 24 registers of sixteen.
//
// Panel: [d][64] fp32. A step over one dimension reads 4 vectors of codes and broadcasts 6 numbers of rows for 24 fma:
// 24 of the 32 registers accumulate, 4 hold codes, 1 a row's number.
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
  auto *out = reinterpret_cast<float *>(panel) + slot;
  double residual = 0, square = 0;
  for (int64_t i = 0; i < d; i++) {
    auto rounded = static_cast<float>(centred[i]);
    out[i * kPanel] = rounded;
    double difference = centred[i] - static_cast<double>(rounded);
    residual += difference * difference;
    square += static_cast<double>(rounded) * static_cast<double>(rounded);
  }
  *norm = __builtin_sqrt(square);
  return __builtin_sqrt(residual);
}

void convert(const Codebook *codebook, const float *x, int64_t rows, const Rows *out) {
  const int64_t d = codebook->d;
  const __m512 scale = _mm512_set1_ps(codebook->scale);
  for (int64_t r = 0; r < rows; r++) {
    const float *row = x + r * d;
    float *y = out->centred + r * codebook->padded_d;
    __m512 square = _mm512_setzero_ps();
    for (int64_t i = 0; i < d; i += kLanes) {
      auto mask = static_cast<__mmask16>(d - i >= kLanes ? 0xFFFF : (1 << (d - i)) - 1);
      __m512 v = _mm512_maskz_loadu_ps(mask, row + i);
      v = _mm512_fmsub_ps(v, scale, _mm512_load_ps(codebook->mean + i));  // one rounding
      _mm512_store_ps(y + i, v);
      square = _mm512_fmadd_ps(v, v, square);
    }
    // The sum's roundings, and squares that underflow: docs/kernels.md, "Norms of a row".
    float norm = __builtin_sqrtf(_mm512_reduce_add_ps(square));
    norm = norm * (1 + static_cast<float>(d + 64) * 0x1p-24f) + 0x1p-55f;
    out->norm[r] = norm;
    out->residual[r] = norm * 0x1p-24f + 0x1p-55f;
  }
}

// One tile: R rows against one panel.
template <int R>
void score_panel(const float *panel, const float *half_norm, const float *y, int64_t padded_d, int64_t d, float *maxima,
                 int64_t maxima_stride, const float *error, int64_t error_stride, __m512 *best) {
  __m512 a[R][kVectors];
#pragma GCC unroll 4
  for (int j = 0; j < kVectors; j++) {
    __m512 start = _mm512_sub_ps(_mm512_setzero_ps(), _mm512_load_ps(half_norm + j * kLanes));
#pragma GCC unroll 6
    for (int r = 0; r < R; r++) a[r][j] = start;
  }
  for (int64_t i = 0; i < d; i++, panel += kPanel) {
    __m512 c0 = _mm512_load_ps(panel), c1 = _mm512_load_ps(panel + kLanes);
    __m512 c2 = _mm512_load_ps(panel + 2 * kLanes), c3 = _mm512_load_ps(panel + 3 * kLanes);
#pragma GCC unroll 6
    for (int r = 0; r < R; r++) {
      __m512 v = _mm512_set1_ps(y[r * padded_d + i]);
      a[r][0] = _mm512_fmadd_ps(v, c0, a[r][0]);
      a[r][1] = _mm512_fmadd_ps(v, c1, a[r][1]);
      a[r][2] = _mm512_fmadd_ps(v, c2, a[r][2]);
      a[r][3] = _mm512_fmadd_ps(v, c3, a[r][3]);
    }
  }
#pragma GCC unroll 6
  for (int r = 0; r < R; r++) {
    __m512 m = _mm512_max_ps(_mm512_max_ps(a[r][0], a[r][1]), _mm512_max_ps(a[r][2], a[r][3]));
    _mm512_store_ps(maxima + r * maxima_stride, m);
    best[r] = _mm512_max_ps(best[r], _mm512_sub_ps(m, _mm512_set1_ps(error[r * error_stride])));
  }
}

template <int R>
void screen_rows(const Tile *tile) {
  const Codebook *codebook = tile->codebook;
  const int64_t d = codebook->d, pd = codebook->padded_d, bytes = panel_bytes(d);
  const float *y = tile->rows->centred + tile->first_row * pd;
  __m512 best[R];
  for (int r = 0; r < R; r++) best[r] = _mm512_set1_ps(tile->lower[r]);
  for (int64_t p = 0; p < tile->panels; p++) {
    int64_t index = tile->first_panel + p;
    score_panel<R>(reinterpret_cast<const float *>(codebook->packed + index * bytes),
                   codebook->half_norm + index * kPanel, y, pd, d, tile->maxima + p * kLanes, tile->stride * kLanes,
                   tile->error + p, tile->stride, best);
  }
  for (int r = 0; r < R; r++) tile->lower[r] = _mm512_reduce_max_ps(best[r]);
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

const Family fp32_avx512_family = {"fp32-avx512", has_avx512, &avx512_tools, kTileRows,   65536, rounding, false,
                                   false,         row_bytes,  panel_bytes,   panel_scale, pack,  convert,  screen};

}  // namespace tessera::cpu::vq
