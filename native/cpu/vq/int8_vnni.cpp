// int8-vnni: 6 rows x 64 codes of int8 dot products in 24 registers of sixteen (AVX-512 VNNI).
//
// Panel: [d/4][64][4] bytes, a code's number q + 128 as u8, in units of the panel's scale. Row: [d] bytes q as s8, in
// units of a step that the rows of a tile share; rows are sorted by magnitude, so that sharing it costs little.
// vpdpbusd multiplies u8 by s8, so <row, code> = sum u8 s8 - 128 sum s8, exactly; the second part is the row's
// `offset`.
//
// The half norms are integers too, in units of step x scale: made once for a tile and panel, they are where all six
// rows' accumulators start, so that scores are compared as integers and only a group's maximum becomes a float.
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

// Integers stay below 2^30 in magnitude: |sum u8 s8| <= 255 127 d < 2^28, half norms up to 2^28, and a padding slot
// starts at -2^30, below all of them.
constexpr int64_t kLargestD = 8192;
constexpr float kLargestStart = 0x1p28f, kPaddingStart = 0x1p30f;

// Numbers are in units of at least these, relative to the scaled codebook, so that no quotient leaves fp32's range.
constexpr float kSmallestScale = 0x1p-40f, kSmallestMagnitude = 0x1p-50f;

// Three roundings of the half norm's quotient; step x scale, the integer's conversion (from 2^24) and their product.
// The half norm's rounding to an integer is in the row's residual.
double rounding(int64_t) { return 6; }
int64_t row_bytes(int64_t d) { return (d + 15) / 16 * 16; }
int64_t panel_bytes(int64_t d) { return (d + 3) / 4 * 4 * kPanel; }
float panel_scale(float largest) {
  float scale = largest / kLevels;
  return scale > kSmallestScale ? scale : kSmallestScale;
}

double pack(const double *centred, int64_t d, float scale, std::byte *panel, int64_t slot, double *norm) {
  double residual = 0, square = 0;
  for (int64_t i = 0; i < (d + 3) / 4 * 4; i++) {
    double value = i < d ? centred[i] : 0;
    double q = __builtin_rint(value / static_cast<double>(scale));
    q = q > kLevels ? kLevels : q < -kLevels ? -kLevels : q;
    panel[(i / 4 * kPanel + slot) * 4 + i % 4] = static_cast<std::byte>(static_cast<int>(q) + 128);
    double rounded = q * static_cast<double>(scale);
    residual += (value - rounded) * (value - rounded);
    square += rounded * rounded;
  }
  *norm = __builtin_sqrt(square);
  return __builtin_sqrt(residual);
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

// Centres the rows; their norms' squares and largest magnitudes go to `square` and `most`, by row, with room for a
// multiple of four. Four rows at a time, so that they share the reductions; a last few rows are done twice.
void centre_rows(const Codebook *codebook, const float *x, int64_t rows, float *centred, float *square, float *most) {
  const int64_t d = codebook->d, pd = codebook->padded_d, whole = d / kLanes * kLanes;
  const __mmask16 rest = head(d - whole);
  const float *mean = codebook->mean;
  const __m512 scale = _mm512_set1_ps(codebook->scale);
  for (int64_t first = 0; first < rows; first += 4) {
    __m512 squares[4], largest[4];
#pragma GCC unroll 4
    for (int64_t j = 0; j < 4; j++) {
      int64_t r = first + j < rows ? first + j : rows - 1;
      const float *row = x + r * d;
      float *y = centred + r * pd;
      squares[j] = _mm512_setzero_ps();
      largest[j] = _mm512_set1_ps(kSmallestMagnitude);
      for (int64_t i = 0; i < whole; i += kLanes) {
        __m512 v = centre(0xFFFF, row + i, mean + i, scale, y + i, &squares[j]);
        largest[j] = _mm512_max_ps(largest[j], _mm512_abs_ps(v));
      }
      if (rest) {
        __m512 v = centre(rest, row + whole, mean + whole, scale, y + whole, &squares[j]);
        largest[j] = _mm512_max_ps(largest[j], _mm512_abs_ps(v));
      }
    }
    __m128 sum = reduce4(squares[0], squares[1], squares[2], squares[3], Add());
    __m128 magnitude = reduce4(largest[0], largest[1], largest[2], largest[3], Max());
    // A row out of range (or NaN) is not screened; its magnitude must not become the other rows' step.
    __mmask8 in_range = _mm_cmp_ps_mask(sum, _mm_set1_ps(kLargestNorm), _CMP_LE_OQ);
    _mm_store_ps(square + first, sum);
    _mm_store_ps(most + first, _mm_mask_mov_ps(_mm_set1_ps(kSmallestMagnitude), in_range, magnitude));
  }
}

// Puts rows into positions by falling magnitude: a counting sort over eight steps an octave, 16 octaves deep.
void sort_rows(const float *most, int64_t rows, int32_t *row) {
  constexpr int kBuckets = 128;
  uint8_t bucket[kMaxBlock];
  int32_t first[kBuckets + 1] = {};
  int32_t top = 0;
  for (int64_t r = 0; r < rows; r++) {
    int32_t bits = static_cast<int32_t>(__builtin_bit_cast(uint32_t, most[r]) >> 20);
    top = bits > top ? bits : top;
  }
  for (int64_t r = 0; r < rows; r++) {
    int32_t below = top - static_cast<int32_t>(__builtin_bit_cast(uint32_t, most[r]) >> 20);
    bucket[r] = static_cast<uint8_t>(below < kBuckets - 1 ? below : kBuckets - 1);
    first[bucket[r] + 1]++;
  }
  for (int i = 0; i < kBuckets; i++) first[i + 1] += first[i];
  for (int64_t r = 0; r < rows; r++) row[first[bucket[r]]++] = static_cast<int32_t>(r);
}

void convert(const Codebook *codebook, const float *x, int64_t rows, const Rows *out) {
  const int64_t d = codebook->d, pd = codebook->padded_d, bytes = row_bytes(d);
  alignas(64) float square[kMaxBlock], most[kMaxBlock];
  centre_rows(codebook, x, rows, out->centred, square, most);
  sort_rows(most, rows, out->row);

  // A tile's step: from its largest magnitude, and large enough for the half norms to be integers in range.
  for (int64_t p = 0; p < rows; p += kTileRows) {
    int64_t end = p + kTileRows < rows ? p + kTileRows : rows;
    float step = codebook->largest_ratio / kLargestStart;
    for (int64_t i = p; i < end; i++) {
      float own = most[out->row[i]] * (1 / kLevels);
      step = own > step ? own : step;
    }
    for (int64_t i = p; i < end; i++) out->step[i] = step;
  }

  for (int64_t first = 0; first < rows; first += 4) {
    Rounded q[4];
    alignas(16) float squares[4];
#pragma GCC unroll 4
    for (int64_t j = 0; j < 4; j++) {
      int64_t p = first + j < rows ? first + j : rows - 1, r = out->row[p];
      const __m512 unit = _mm512_set1_ps(out->step[p]), inverse = _mm512_set1_ps(1 / out->step[p]);
      q[j] = {_mm512_setzero_ps(), _mm512_setzero_ps()};
      squares[j] = square[r];
      for (int64_t i = 0; i < pd; i += kLanes)
        round_to_int8(out->centred + r * pd + i, inverse, unit, out->packed + p * bytes + i, &q[j]);
    }
    // The sums' roundings, squares that underflow, and y's own rounding: docs/kernels.md, "Norms of a row". The half
    // norms' rounding is at most step scale / 2, and the panel's scale at most its norm / 127, but for the smallest.
    auto here = static_cast<__mmask8>(head(rows - first < 4 ? rows - first : 4));
    __m128 residual = norm_above(reduce4(q[0].error, q[1].error, q[2].error, q[3].error, Add()), d);
    __m128 norm = _mm_add_ps(norm_above(_mm_load_ps(squares), d), residual);
    residual = _mm_fmadd_ps(norm, _mm_set1_ps(0x1p-24f), residual);
    residual = _mm_fmadd_ps(_mm_maskz_loadu_ps(here, out->step + first), _mm_set1_ps(1 / 250.0f), residual);
    __m128i offset = _mm_cvtps_epi32(reduce4(q[0].sum, q[1].sum, q[2].sum, q[3].sum, Add()));
    _mm_mask_storeu_ps(out->norm + first, here, norm);
    _mm_mask_storeu_ps(out->residual + first, here, residual);
    _mm_mask_storeu_epi32(out->offset + first, here, _mm_slli_epi32(_mm_sub_epi32(_mm_setzero_si128(), offset), 7));
  }
}

// The half norms of 16 codes as integers in units of 1 / inverse, negative.
TS_INLINE __m512i start(const float *half_norm, __m512 inverse) {
  __m512 units = _mm512_min_ps(_mm512_mul_ps(_mm512_load_ps(half_norm), inverse), _mm512_set1_ps(kPaddingStart));
  return _mm512_sub_epi32(_mm512_setzero_si512(), _mm512_cvtps_epi32(units));
}

// A row's accumulators: one for each vector of a panel.
struct Accumulators {
  __m512i a, b, c, d;
};

TS_INLINE void step(Accumulators &row, const int32_t *four, __m512i a, __m512i b, __m512i c, __m512i d) {
  __m512i v = _mm512_set1_epi32(*four);
  asm("vpdpbusd %2, %1, %0" : "+v"(row.a) : "v"(a), "v"(v));
  asm("vpdpbusd %2, %1, %0" : "+v"(row.b) : "v"(b), "v"(v));
  asm("vpdpbusd %2, %1, %0" : "+v"(row.c) : "v"(c), "v"(v));
  asm("vpdpbusd %2, %1, %0" : "+v"(row.d) : "v"(d), "v"(v));
}

// The largest scores of a row's groups in the panel.
TS_INLINE __m512 largest(const Accumulators &row, int32_t offset, __m512 unit) {
  __m512i most = _mm512_max_epi32(_mm512_max_epi32(row.a, row.b), _mm512_max_epi32(row.c, row.d));
  return _mm512_mul_ps(_mm512_cvtepi32_ps(_mm512_add_epi32(most, _mm512_set1_epi32(offset))), unit);
}

template <int R>
void screen_rows(const Tile *tile) {
  const Codebook *codebook = tile->codebook;
  const int64_t steps = (codebook->d + 3) / 4, bytes = panel_bytes(codebook->d), words = row_bytes(codebook->d) / 4;
  const auto *x = reinterpret_cast<const int32_t *>(tile->rows->packed) + tile->first_row * words;
  const int32_t *offset = tile->rows->offset + tile->first_row;
  const float step_of_rows = tile->rows->step[tile->first_row];
  __m512 best[R];
  for (int r = 0; r < R; r++) best[r] = _mm512_set1_ps(tile->lower[r]);
  for (int64_t p = 0; p < tile->panels; p++) {
    const int64_t index = tile->first_panel + p;
    const std::byte *panel = codebook->packed + index * bytes;
    const float *half_norm = codebook->half_norm + index * kPanel;
    const float unit = step_of_rows * codebook->panel_scale[index];
    const __m512 inverse = _mm512_set1_ps(1 / unit);
    Accumulators r0{start(half_norm, inverse), start(half_norm + 16, inverse), start(half_norm + 32, inverse),
                    start(half_norm + 48, inverse)};
    Accumulators r1 = r0, r2 = r0, r3 = r0, r4 = r0, r5 = r0;
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
    const __m512 units = _mm512_set1_ps(unit);
    leave(tile, 0, p, largest(r0, offset[0], units), best);
    if constexpr (R > 1) leave(tile, 1, p, largest(r1, offset[1], units), best);
    if constexpr (R > 2) leave(tile, 2, p, largest(r2, offset[2], units), best);
    if constexpr (R > 3) leave(tile, 3, p, largest(r3, offset[3], units), best);
    if constexpr (R > 4) leave(tile, 4, p, largest(r4, offset[4], units), best);
    if constexpr (R > 5) leave(tile, 5, p, largest(r5, offset[5], units), best);
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

const Family int8_vnni_family = {"int8-vnni", has_avx512_vnni, &avx512_tools, kTileRows,   kLargestD, rounding, true,
                                 true,        row_bytes,       panel_bytes,   panel_scale, pack,      convert,  screen};

}  // namespace tessera::cpu::vq
