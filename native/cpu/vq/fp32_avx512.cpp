// fp32-avx512: 6 rows x 64 codes of fp32 scores in 24 registers of sixteen.
//
// Panel: [d][64] fp32. A step over one dimension reads 4 vectors of codes and broadcasts 6 numbers of rows for 24 fma:
// 24 of the 32 registers accumulate, 4 hold codes, 1 a row's number.
#include "cpu/vq/avx512.h"
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

// Four rows at a time, so that they share the reductions and roots; a last few rows are done twice.
void convert(const Codebook *codebook, const float *x, int64_t rows, const Rows *out) {
  const int64_t d = codebook->d, pd = codebook->padded_d, whole = d / kLanes * kLanes;
  const __mmask16 rest = head(d - whole);
  const float *mean = codebook->mean;
  const __m512 scale = _mm512_set1_ps(codebook->scale);
  for (int64_t first = 0; first < rows; first += 4) {
    __m512 square[4];
#pragma GCC unroll 4
    for (int64_t j = 0; j < 4; j++) {
      int64_t r = first + j < rows ? first + j : rows - 1;
      const float *row = x + r * d;
      float *y = out->centred + r * pd;
      square[j] = _mm512_setzero_ps();
      for (int64_t i = 0; i < whole; i += kLanes) centre(0xFFFF, row + i, mean + i, scale, y + i, &square[j]);
      if (rest) centre(rest, row + whole, mean + whole, scale, y + whole, &square[j]);
    }
    // docs/kernels.md, "Norms of a row".
    __m128 norm = norm_above(reduce4(square[0], square[1], square[2], square[3], Add()), d);
    __m128 residual = _mm_fmadd_ps(norm, _mm_set1_ps(0x1p-24f), _mm_set1_ps(0x1p-55f));
    auto here = static_cast<__mmask8>(head(rows - first < 4 ? rows - first : 4));
    _mm_mask_storeu_ps(out->norm + first, here, norm);
    _mm_mask_storeu_ps(out->residual + first, here, residual);
  }
}

// One tile: R rows against one panel.
template <int R>
void score_panel(const Findings &findings, int64_t p, const float *panel, const float *half_norm, const float *y,
                 int64_t padded_d, int64_t d, __m512 *best) {
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
    leave(findings, r, p, m, best);
  }
}

template <int R>
void screen_rows(const Tile *tile) {
  const Codebook *codebook = tile->codebook;
  const int64_t d = codebook->d, pd = codebook->padded_d, bytes = panel_bytes(d);
  const float *y = tile->rows->centred + tile->first_row * pd;
  const Findings findings{tile->maxima, tile->error, tile->stride};
  __m512 best[R];
  for (int r = 0; r < R; r++) best[r] = _mm512_set1_ps(tile->lower[r]);
  for (int64_t p = 0; p < tile->panels; p++) {
    int64_t index = tile->first_panel + p;
    score_panel<R>(findings, p, reinterpret_cast<const float *>(codebook->packed + index * bytes),
                   codebook->half_norm + index * kPanel, y, pd, d, best);
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

const Family fp32_avx512_family = {
    "fp32-avx512", has_avx512, &avx512_tools, kTileRows,   rounding, false,   false,   &fp32_avx512_family,
    nullptr,       row_bytes,  panel_bytes,   panel_scale, pack,     nullptr, convert, screen};

}  // namespace tessera::cpu::vq
