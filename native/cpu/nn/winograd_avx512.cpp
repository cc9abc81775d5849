// Each transform is a small matrix times a tile times its transpose, done on rows and then on columns, with the tile's
// 16 vectors in registers.
#include "cpu/nn/winograd_avx512.h"

#include <immintrin.h>

namespace tessera::cpu::winograd {
namespace {

#define TS_INLINE [[gnu::always_inline]] inline

constexpr int64_t kLanes = 16;

TS_INLINE __mmask16 head(int64_t n) { return static_cast<__mmask16>(n >= kLanes ? 0xFFFF : n <= 0 ? 0 : (1 << n) - 1); }
TS_INLINE __m512 half(__m512 x) { return _mm512_mul_ps(x, _mm512_set1_ps(0.5f)); }

struct Three {
  __m512 x0, x1, x2;
};
struct Four {
  __m512 x0, x1, x2, x3;
};

// B^T x
TS_INLINE Four pixels_1d(__m512 x0, __m512 x1, __m512 x2, __m512 x3) {
  return {_mm512_sub_ps(x0, x2), _mm512_add_ps(x1, x2), _mm512_sub_ps(x2, x1), _mm512_sub_ps(x1, x3)};
}

// G x
TS_INLINE Four kernel_1d(__m512 x0, __m512 x1, __m512 x2) {
  __m512 ends = _mm512_add_ps(x0, x2);
  return {x0, half(_mm512_add_ps(ends, x1)), half(_mm512_sub_ps(ends, x1)), x2};
}

// G^T x
TS_INLINE Three weights_1d(__m512 x0, __m512 x1, __m512 x2, __m512 x3) {
  __m512 even = half(_mm512_add_ps(x1, x2));
  return {_mm512_add_ps(x0, even), half(_mm512_sub_ps(x1, x2)), _mm512_add_ps(even, x3)};
}

}  // namespace

void transform_pixels(const float *const pixels[16], int64_t channels, float *to, int64_t place) {
  for (int64_t c = 0; c < channels; c += kLanes) {
    const __mmask16 mask = head(channels - c);
    Four d[4];
#pragma GCC unroll 4
    for (int i = 0; i < 4; i++)
      d[i] = pixels_1d(
          _mm512_maskz_loadu_ps(mask, pixels[4 * i] + c), _mm512_maskz_loadu_ps(mask, pixels[4 * i + 1] + c),
          _mm512_maskz_loadu_ps(mask, pixels[4 * i + 2] + c), _mm512_maskz_loadu_ps(mask, pixels[4 * i + 3] + c));
    auto store_column = [&](int j, __m512 x0, __m512 x1, __m512 x2, __m512 x3) __attribute__((always_inline)) {
      Four v = pixels_1d(x0, x1, x2, x3);
      _mm512_storeu_ps(to + c + j * place, v.x0);
      _mm512_storeu_ps(to + c + (4 + j) * place, v.x1);
      _mm512_storeu_ps(to + c + (8 + j) * place, v.x2);
      _mm512_storeu_ps(to + c + (12 + j) * place, v.x3);
    };
    store_column(0, d[0].x0, d[1].x0, d[2].x0, d[3].x0);
    store_column(1, d[0].x1, d[1].x1, d[2].x1, d[3].x1);
    store_column(2, d[0].x2, d[1].x2, d[2].x2, d[3].x2);
    store_column(3, d[0].x3, d[1].x3, d[2].x3, d[3].x3);
  }
}

void transform_gradient(const float *const pixels[4], int64_t channels, float *to, int64_t place) {
  for (int64_t c = 0; c < channels; c += kLanes) {
    const __mmask16 mask = head(channels - c);
    // A x = (x0, x0 + x1, x0 - x1, -x1)
    auto store_row = [&](int i, __m512 x0, __m512 x1) __attribute__((always_inline)) {
      float *row = to + c + 4 * i * place;
      _mm512_storeu_ps(row, x0);
      _mm512_storeu_ps(row + place, _mm512_add_ps(x0, x1));
      _mm512_storeu_ps(row + 2 * place, _mm512_sub_ps(x0, x1));
      _mm512_storeu_ps(row + 3 * place, _mm512_sub_ps(_mm512_setzero_ps(), x1));
    };
    __m512 a = _mm512_maskz_loadu_ps(mask, pixels[0] + c), b = _mm512_maskz_loadu_ps(mask, pixels[1] + c);
    __m512 e = _mm512_maskz_loadu_ps(mask, pixels[2] + c), f = _mm512_maskz_loadu_ps(mask, pixels[3] + c);
    store_row(0, a, b);
    store_row(1, _mm512_add_ps(a, e), _mm512_add_ps(b, f));
    store_row(2, _mm512_sub_ps(a, e), _mm512_sub_ps(b, f));
    store_row(3, _mm512_sub_ps(_mm512_setzero_ps(), e), _mm512_sub_ps(_mm512_setzero_ps(), f));
  }
}

void finish_tile(const float *m, int64_t place, int64_t channels, const float *bias, bool relu,
                 float *const pixels[4]) {
  for (int64_t c = 0; c < channels; c += kLanes) {
    const __mmask16 mask = head(channels - c);
    // A^T x = (x0 + x1 + x2, x1 - x2 - x3), on columns first
    __m512 top[4], bottom[4];
#pragma GCC unroll 4
    for (int j = 0; j < 4; j++) {
      const float *column = m + c + j * place;
      __m512 x0 = _mm512_loadu_ps(column), x1 = _mm512_loadu_ps(column + 4 * place);
      __m512 x2 = _mm512_loadu_ps(column + 8 * place), x3 = _mm512_loadu_ps(column + 12 * place);
      top[j] = _mm512_add_ps(x0, _mm512_add_ps(x1, x2));
      bottom[j] = _mm512_sub_ps(_mm512_sub_ps(x1, x2), x3);
    }
    const __m512 b = bias ? _mm512_maskz_loadu_ps(mask, bias + c) : _mm512_setzero_ps();
    auto store = [&](float *pixel, __m512 x) __attribute__((always_inline)) {
      if (!pixel) return;
      x = _mm512_add_ps(x, b);
      // The second operand is kept, so that a NaN passes through.
      if (relu) x = _mm512_max_ps(_mm512_setzero_ps(), x);
      _mm512_mask_storeu_ps(pixel + c, mask, x);
    };
    store(pixels[0], _mm512_add_ps(top[0], _mm512_add_ps(top[1], top[2])));
    store(pixels[1], _mm512_sub_ps(_mm512_sub_ps(top[1], top[2]), top[3]));
    store(pixels[2], _mm512_add_ps(bottom[0], _mm512_add_ps(bottom[1], bottom[2])));
    store(pixels[3], _mm512_sub_ps(_mm512_sub_ps(bottom[1], bottom[2]), bottom[3]));
  }
}

namespace {

// Rows become columns: pairs of rows swap blocks of 1, 2, 4 and 8 numbers.
TS_INLINE void transpose(__m512 x[16]) {
  const __m512i lane = _mm512_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15);
#pragma GCC unroll 4
  for (int s = 1; s < 16; s *= 2) {
    const __m512i step = _mm512_set1_epi32(s), sixteen = _mm512_set1_epi32(16);
    const __mmask16 odd = _mm512_test_epi32_mask(lane, step);
    const __m512i other = _mm512_xor_epi32(lane, step);
    const __m512i first = _mm512_mask_add_epi32(lane, odd, other, sixteen);
    const __m512i second = _mm512_mask_add_epi32(other, odd, lane, sixteen);
#pragma GCC unroll 16
    for (int i = 0; i < 16; i++) {
      if (i & s) continue;
      __m512 a = x[i], b = x[i + s];
      x[i] = _mm512_permutex2var_ps(a, first, b);
      x[i + s] = _mm512_permutex2var_ps(a, second, b);
    }
  }
}

// One tap of 16 x 16 kernels as [k][n], zeros where there is none.
void load_tap(const Kernels &s, int tap, float (*to)[16]) {
  const bool along_n = s.n_step == 1;
  const int64_t rows = along_n ? s.rows : s.columns, step = along_n ? s.k_step : s.n_step;
  const __mmask16 mask = head(along_n ? s.columns : s.rows);
  const float *w = s.w + tap * s.tap_step;
  __m512 x[16];
#pragma GCC unroll 16
  for (int r = 0; r < 16; r++) x[r] = r < rows ? _mm512_maskz_loadu_ps(mask, w + r * step) : _mm512_setzero_ps();
  if (!along_n) transpose(x);
#pragma GCC unroll 16
  for (int r = 0; r < 16; r++) _mm512_storeu_ps(to[r], x[r]);
}

}  // namespace

void transform_kernels(const Kernels &s) {
  alignas(64) float taps[9][16][16];
  for (int tap = 0; tap < 9; tap++) load_tap(s, tap, taps[tap]);
  for (int64_t k = 0; k < s.rows; k++) {
    Four columns[3];
#pragma GCC unroll 3
    for (int j = 0; j < 3; j++)
      columns[j] =
          kernel_1d(_mm512_load_ps(taps[j][k]), _mm512_load_ps(taps[3 + j][k]), _mm512_load_ps(taps[6 + j][k]));
    auto store_row = [&](int i, __m512 x0, __m512 x1, __m512 x2) __attribute__((always_inline)) {
      Four u = kernel_1d(x0, x1, x2);
      float *row = s.to + k * s.width + 4 * i * s.place;
      _mm512_storeu_ps(row, u.x0);
      _mm512_storeu_ps(row + s.place, u.x1);
      _mm512_storeu_ps(row + 2 * s.place, u.x2);
      _mm512_storeu_ps(row + 3 * s.place, u.x3);
    };
    store_row(0, columns[0].x0, columns[1].x0, columns[2].x0);
    store_row(1, columns[0].x1, columns[1].x1, columns[2].x1);
    store_row(2, columns[0].x2, columns[1].x2, columns[2].x2);
    store_row(3, columns[0].x3, columns[1].x3, columns[2].x3);
  }
}

void finish_weights(const float *s, int64_t parts, int64_t part, int64_t place, int64_t channels, float *dw) {
  for (int64_t c = 0; c < channels; c += kLanes) {
    const __mmask16 mask = head(channels - c);
    __m512 x[16];
#pragma GCC unroll 16
    for (int i = 0; i < 16; i++) x[i] = _mm512_loadu_ps(s + c + i * place);
    for (int64_t p = 1; p < parts; p++)
#pragma GCC unroll 16
      for (int i = 0; i < 16; i++) x[i] = _mm512_add_ps(x[i], _mm512_loadu_ps(s + c + i * place + p * part));
    Three columns[4];
#pragma GCC unroll 4
    for (int j = 0; j < 4; j++) columns[j] = weights_1d(x[j], x[4 + j], x[8 + j], x[12 + j]);
    auto store_row = [&](int i, __m512 x0, __m512 x1, __m512 x2, __m512 x3) __attribute__((always_inline)) {
      Three g = weights_1d(x0, x1, x2, x3);
      float *row = dw + c + 3 * i * channels;
      _mm512_mask_storeu_ps(row, mask, g.x0);
      _mm512_mask_storeu_ps(row + channels, mask, g.x1);
      _mm512_mask_storeu_ps(row + 2 * channels, mask, g.x2);
    };
    store_row(0, columns[0].x0, columns[1].x0, columns[2].x0, columns[3].x0);
    store_row(1, columns[0].x1, columns[1].x1, columns[2].x1, columns[3].x1);
    store_row(2, columns[0].x2, columns[1].x2, columns[2].x2, columns[3].x2);
  }
}

}  // namespace tessera::cpu::winograd
