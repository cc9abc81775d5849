// int8-vnni: 6 rows x 64 codes of int8 dot products in 24 registers of sixteen (AVX-512 VNNI).
//
// Panel: [d/4][64][4] bytes, a code's number q + 128 as u8, in units of the panel's scale. Row: [d] bytes q as s8, in
// units of the row's step. vpdpbusd multiplies u8 by s8, so <row, code> = sum u8 s8 - 128 sum s8; the second part is
// the row's `offset`, where the accumulators start. The integers are exact: 127^2 65536 < 2^31, and what wraps on the
// way wraps back.
//
// A step over 4 dimensions: 4 loads of codes, 6 broadcasts of 4 bytes of a row, 24 vpdpbusd, which are all that counts:
// one of them retires a clock. GCC 12 keeps accumulators of intrinsics in memory here, so the instruction is written
// out, and the accumulators are named.
#include "cpu/vq/avx512.h"
#include "cpu/vq/features.h"

namespace tessera::cpu::vq {
namespace {

constexpr int64_t kTileRows = 6;
constexpr float kLevels = 127.0f;

// The row's step, times the panel's scale, is rounded once; so are the integer's conversion (from 2^24), the product
// and the difference.
double rounding(int64_t) { return 4; }
int64_t row_bytes(int64_t d) { return (d + 15) / 16 * 16; }
int64_t panel_bytes(int64_t d) { return (d + 3) / 4 * 4 * kPanel; }
// Not 0 for a panel of zeros or denormals.
float panel_scale(float largest) { return largest > 0x1p-110f ? largest / kLevels : 0x1p-117f; }

double pack(const double *centred, int64_t d, float scale, std::byte *panel, int64_t slot, double *norm) {
  const double inverse = 1 / static_cast<double>(scale);
  double residual = 0, square = 0;
  for (int64_t i = 0; i < (d + 3) / 4 * 4; i++) {
    double value = i < d ? centred[i] : 0;
    double q = __builtin_rint(value * inverse);
    q = q > kLevels ? kLevels : q < -kLevels ? -kLevels : q;
    panel[(i / 4 * kPanel + slot) * 4 + i % 4] = static_cast<std::byte>(static_cast<int>(q) + 128);
    double rounded = q * static_cast<double>(scale);
    residual += (value - rounded) * (value - rounded);
    square += rounded * rounded;
  }
  *norm = __builtin_sqrt(square);
  return __builtin_sqrt(residual);
}

void unpack(const std::byte *panel, int64_t slot, int64_t d, float scale, double *rounded) {
  for (int64_t i = 0; i < d; i++)
    rounded[i] = (static_cast<int>(panel[(i / 4 * kPanel + slot) * 4 + i % 4]) - 128) * static_cast<double>(scale);
}

// The second pass: the square of the rounding's norm and the sum of the integers.
struct Rounded {
  __m512 error, sum;
};

TS_INLINE void round_to_int8(const float *y, __m512 inverse, __m512 unit, std::byte *q, Rounded *found) {
  __m512 v = _mm512_load_ps(y);
  __m512i n = _mm512_cvtps_epi32(_mm512_mul_ps(v, inverse));
  _mm_store_si128(reinterpret_cast<__m128i *>(q), _mm512_cvtepi32_epi8(n));
  __m512 whole = _mm512_cvtepi32_ps(n);
  found->sum = _mm512_add_ps(found->sum, whole);  // exact: 127 * 65536 < 2^24
  __m512 e = _mm512_fnmadd_ps(whole, unit, v);
  found->error = _mm512_fmadd_ps(e, e, found->error);
}

// Four rows at a time, so that they share the reductions, roots and quotients; a last few rows are done twice.
void convert(const Codebook *codebook, const float *x, int64_t rows, const Rows *out) {
  const int64_t d = codebook->d, pd = codebook->padded_d, whole = d / kLanes * kLanes, bytes = row_bytes(d);
  const __mmask16 rest = head(d - whole);
  const float *mean = codebook->mean;
  const __m512 scale = _mm512_set1_ps(codebook->scale);
  for (int64_t first = 0; first < rows; first += 4) {
    __m512 square[4], largest[4];
#pragma GCC unroll 4
    for (int64_t j = 0; j < 4; j++) {
      int64_t r = first + j < rows ? first + j : rows - 1;
      const float *row = x + r * d;
      float *y = out->centred + r * pd;
      square[j] = _mm512_setzero_ps();
      largest[j] = _mm512_set1_ps(0x1p-100f);
      for (int64_t i = 0; i < whole; i += kLanes) {
        __m512 v = centre(0xFFFF, row + i, mean + i, scale, y + i, &square[j]);
        largest[j] = _mm512_max_ps(largest[j], _mm512_abs_ps(v));
      }
      if (rest) {
        __m512 v = centre(rest, row + whole, mean + whole, scale, y + whole, &square[j]);
        largest[j] = _mm512_max_ps(largest[j], _mm512_abs_ps(v));
      }
    }
    alignas(16) float steps[4], inverses[4];
    __m128 most = reduce4(largest[0], largest[1], largest[2], largest[3], Max());
    _mm_store_ps(steps, _mm_mul_ps(most, _mm_set1_ps(1 / kLevels)));
    _mm_store_ps(inverses, _mm_div_ps(_mm_set1_ps(kLevels), most));
    Rounded q[4];
#pragma GCC unroll 4
    for (int64_t j = 0; j < 4; j++) {
      int64_t r = first + j < rows ? first + j : rows - 1;
      const __m512 unit = _mm512_set1_ps(steps[j]), inverse = _mm512_set1_ps(inverses[j]);
      q[j] = {_mm512_setzero_ps(), _mm512_setzero_ps()};
      for (int64_t i = 0; i < pd; i += kLanes)
        round_to_int8(out->centred + r * pd + i, inverse, unit, out->packed + r * bytes + i, &q[j]);
    }
    // docs/kernels.md, "Norms of a row".
    __m128 residual = norm_above(reduce4(q[0].error, q[1].error, q[2].error, q[3].error, Add()), d);
    __m128 norm = norm_above(reduce4(square[0], square[1], square[2], square[3], Add()), d);
    norm = _mm_add_ps(norm, residual);
    residual = _mm_fmadd_ps(norm, _mm_set1_ps(0x1p-24f), residual);
    __m128i offset = _mm_cvtps_epi32(reduce4(q[0].sum, q[1].sum, q[2].sum, q[3].sum, Add()));
    auto here = static_cast<__mmask8>(head(rows - first < 4 ? rows - first : 4));
    _mm_mask_storeu_ps(out->step + first, here, _mm_load_ps(steps));
    _mm_mask_storeu_ps(out->norm + first, here, norm);
    _mm_mask_storeu_ps(out->residual + first, here, residual);
    _mm_mask_storeu_epi32(out->offset + first, here, _mm_slli_epi32(_mm_sub_epi32(_mm_setzero_si128(), offset), 7));
  }
}

// A row's accumulators: one for each vector of a panel.
struct Accumulators {
  __m512i a, b, c, d;
};

TS_INLINE void start(Accumulators &row, int32_t offset) { row.a = row.b = row.c = row.d = _mm512_set1_epi32(offset); }

TS_INLINE void step(Accumulators &row, const int32_t *four, __m512i a, __m512i b, __m512i c, __m512i d) {
  __m512i v = _mm512_set1_epi32(*four);
  asm("vpdpbusd %2, %1, %0" : "+v"(row.a) : "v"(a), "v"(v));
  asm("vpdpbusd %2, %1, %0" : "+v"(row.b) : "v"(b), "v"(v));
  asm("vpdpbusd %2, %1, %0" : "+v"(row.c) : "v"(c), "v"(v));
  asm("vpdpbusd %2, %1, %0" : "+v"(row.d) : "v"(d), "v"(v));
}

// The largest scores of a row's groups in the panel.
TS_INLINE __m512 largest_scores(const Accumulators &row, float scale, const float *half_norm) {
  __m512 s = _mm512_set1_ps(scale);
  __m512 a = _mm512_fmsub_ps(_mm512_cvtepi32_ps(row.a), s, _mm512_load_ps(half_norm));
  __m512 b = _mm512_fmsub_ps(_mm512_cvtepi32_ps(row.b), s, _mm512_load_ps(half_norm + 16));
  __m512 c = _mm512_fmsub_ps(_mm512_cvtepi32_ps(row.c), s, _mm512_load_ps(half_norm + 32));
  __m512 d = _mm512_fmsub_ps(_mm512_cvtepi32_ps(row.d), s, _mm512_load_ps(half_norm + 48));
  return _mm512_max_ps(_mm512_max_ps(a, b), _mm512_max_ps(c, d));
}

template <int R, bool kCentres>
void screen_rows(const Tile *tile) {
  const Codebook *codebook = tile->codebook;
  const int64_t steps = (codebook->d + 3) / 4, bytes = panel_bytes(codebook->d), words = row_bytes(codebook->d) / 4;
  const auto *x = reinterpret_cast<const int32_t *>(tile->rows->packed) + tile->first_row * words;
  const int32_t *offset = tile->rows->offset + tile->first_row;
  const float *unit = tile->rows->step + tile->first_row;
  const Findings findings{tile->maxima, tile->error, tile->stride};
  const int32_t *const listed = tile->panel;
  const int64_t first_panel = tile->first_panel;
  const float *const centre = tile->centre;
  // The centre's part is the same for all codes of the panel, so it is added to the largest.
  auto leave_with_centre = [&](int64_t r, int64_t p, __m512 m, __m512 * best) __attribute__((always_inline)) {
    if constexpr (kCentres) m = _mm512_add_ps(m, _mm512_set1_ps(centre[r * findings.stride + p]));
    leave(findings, r, p, m, best);
  };
  __m512 best[R];
  for (int r = 0; r < R; r++) best[r] = _mm512_set1_ps(tile->lower[r]);
  for (int64_t p = 0; p < tile->panels; p++) {
    const int64_t index = kCentres ? listed[p] : first_panel + p;
    const std::byte *panel = codebook->packed + index * bytes;
    Accumulators r0, r1, r2, r3, r4, r5;
    start(r0, offset[0]);
    if constexpr (R > 1) start(r1, offset[1]);
    if constexpr (R > 2) start(r2, offset[2]);
    if constexpr (R > 3) start(r3, offset[3]);
    if constexpr (R > 4) start(r4, offset[4]);
    if constexpr (R > 5) start(r5, offset[5]);
    const int32_t *four = x;
    for (int64_t i = 0; i < steps; i++, panel += 4 * 64, four++) {
      __m512i a = _mm512_load_si512(panel), b = _mm512_load_si512(panel + 64);
      __m512i c = _mm512_load_si512(panel + 128), d = _mm512_load_si512(panel + 192);
      step(r0, four, a, b, c, d);
      if constexpr (R > 1) step(r1, four + words, a, b, c, d);
      if constexpr (R > 2) step(r2, four + 2 * words, a, b, c, d);
      if constexpr (R > 3) step(r3, four + 3 * words, a, b, c, d);
      if constexpr (R > 4) step(r4, four + 4 * words, a, b, c, d);
      if constexpr (R > 5) step(r5, four + 5 * words, a, b, c, d);
    }
    const float scale = codebook->panel_scale[index];
    const float *half_norm = codebook->screen_half_norm + index * kPanel;
    leave_with_centre(0, p, largest_scores(r0, unit[0] * scale, half_norm), best);
    if constexpr (R > 1) leave_with_centre(1, p, largest_scores(r1, unit[1] * scale, half_norm), best);
    if constexpr (R > 2) leave_with_centre(2, p, largest_scores(r2, unit[2] * scale, half_norm), best);
    if constexpr (R > 3) leave_with_centre(3, p, largest_scores(r3, unit[3] * scale, half_norm), best);
    if constexpr (R > 4) leave_with_centre(4, p, largest_scores(r4, unit[4] * scale, half_norm), best);
    if constexpr (R > 5) leave_with_centre(5, p, largest_scores(r5, unit[5] * scale, half_norm), best);
  }
  for (int r = 0; r < R; r++) tile->lower[r] = _mm512_reduce_max_ps(best[r]);
}

template <bool kCentres>
void screen_tile(const Tile *tile, int64_t rows) {
  switch (rows) {
    case 1:
      return screen_rows<1, kCentres>(tile);
    case 2:
      return screen_rows<2, kCentres>(tile);
    case 3:
      return screen_rows<3, kCentres>(tile);
    case 4:
      return screen_rows<4, kCentres>(tile);
    case 5:
      return screen_rows<5, kCentres>(tile);
    default:
      return screen_rows<6, kCentres>(tile);
  }
}

void screen(const Tile *tile, int64_t rows) {
  return tile->panel ? screen_tile<true>(tile, rows) : screen_tile<false>(tile, rows);
}

}  // namespace

const Family int8_vnni_family = {
    "int8-vnni",           has_avx512_vnni, &avx512_tools, kTileRows,   rounding, true,   true,    &fp32_avx512_family,
    &avx512_cluster_tools, row_bytes,       panel_bytes,   panel_scale, pack,     unpack, convert, screen};

}  // namespace tessera::cpu::vq
