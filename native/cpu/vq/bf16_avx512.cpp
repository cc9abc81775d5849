// bf16-avx512: 6 rows x 64 codes of bf16 dot products in fp32, in 24 registers of sixteen (AVX-512 BF16).
//
// Panel: [d/2][64][2] bf16. Row: [d] bf16. vdpbf16ps adds two products to each of sixteen fp32 sums, at the rate of one
// fma: a step over 2 dimensions is 4 loads of codes, 6 broadcasts of 2 numbers of a row and 24 vdpbf16ps. The sums
// start at minus the half norms. The instruction flushes denormals, inputs and sums; what that loses of the inputs is
// measured as rounding, and of the sums it is below 2^-126 a step. It is written out because GCC 12 keeps accumulators
// of intrinsics in memory here.
#include "cpu/vq/avx512.h"
#include "cpu/vq/features.h"

namespace tessera::cpu::vq {
namespace {

constexpr int64_t kTileRows = 6;

// Products of bf16 numbers are exact in fp32. Intel's manual rounds twice a step (SDM, VDPBF16PS); one more a number is
// granted to processors that add the two products first.
double rounding(int64_t d) { return 2.0 * static_cast<double>(d) + 4.0; }
int64_t row_bytes(int64_t d) { return (d + 15) / 16 * 32; }
int64_t panel_bytes(int64_t d) { return (d + 1) / 2 * 4 * kPanel; }
float panel_scale(float) { return 1.0f; }

// Round to nearest even; the value is finite and below 4 in magnitude.
uint16_t to_bf16(float value) {
  auto bits = __builtin_bit_cast(uint32_t, value);
  bits += 0x7FFF + (bits >> 16 & 1);
  if ((bits & 0x7F800000u) == 0) bits &= 0x80000000u;  // the instruction takes a denormal as 0
  return static_cast<uint16_t>(bits >> 16);
}

double pack(const double *centred, int64_t d, float, std::byte *panel, int64_t slot, double *norm) {
  auto *out = reinterpret_cast<uint16_t *>(panel) + slot * 2;
  double residual = 0, square = 0;
  for (int64_t i = 0; i < (d + 1) / 2 * 2; i++) {
    double value = i < d ? centred[i] : 0;
    uint16_t half = to_bf16(static_cast<float>(value));
    out[i / 2 * kPanel * 2 + i % 2] = half;
    auto rounded = static_cast<double>(__builtin_bit_cast(float, static_cast<uint32_t>(half) << 16));
    residual += (value - rounded) * (value - rounded);
    square += rounded * rounded;
  }
  *norm = __builtin_sqrt(square);
  return __builtin_sqrt(residual);
}

// 16 numbers of a row to bf16; adds the squares of the differences, which are exact.
TS_INLINE void round_to_bf16(__m512 v, std::byte *out, __m512 *error) {
  auto half = reinterpret_cast<__m256i>(_mm512_cvtneps_pbh(v));
  _mm256_store_si256(reinterpret_cast<__m256i *>(out), half);
  __m512 e = _mm512_sub_ps(v, _mm512_castsi512_ps(_mm512_slli_epi32(_mm512_cvtepu16_epi32(half), 16)));
  *error = _mm512_fmadd_ps(e, e, *error);
}

// Four rows at a time, so that they share the reductions and roots; a last few rows are done twice.
void convert(const Codebook *codebook, const float *x, int64_t rows, const Rows *out) {
  const int64_t d = codebook->d, pd = codebook->padded_d, whole = d / kLanes * kLanes, bytes = row_bytes(d);
  const __mmask16 rest = head(d - whole);
  const float *mean = codebook->mean;
  const __m512 scale = _mm512_set1_ps(codebook->scale);
  for (int64_t first = 0; first < rows; first += 4) {
    __m512 square[4], error[4];
#pragma GCC unroll 4
    for (int64_t j = 0; j < 4; j++) {
      int64_t r = first + j < rows ? first + j : rows - 1;
      const float *row = x + r * d;
      float *y = out->centred + r * pd;
      std::byte *packed = out->packed + r * bytes;
      square[j] = error[j] = _mm512_setzero_ps();
      for (int64_t i = 0; i < whole; i += kLanes)
        round_to_bf16(centre(0xFFFF, row + i, mean + i, scale, y + i, &square[j]), packed + 2 * i, &error[j]);
      if (rest)
        round_to_bf16(centre(rest, row + whole, mean + whole, scale, y + whole, &square[j]), packed + 2 * whole,
                      &error[j]);
    }
    // docs/kernels.md, "Norms of a row".
    __m128 residual = norm_above(reduce4(error[0], error[1], error[2], error[3], Add()), d);
    __m128 norm = norm_above(reduce4(square[0], square[1], square[2], square[3], Add()), d);
    norm = _mm_add_ps(norm, residual);
    residual = _mm_fmadd_ps(norm, _mm_set1_ps(0x1p-24f), residual);
    auto here = static_cast<__mmask8>(head(rows - first < 4 ? rows - first : 4));
    _mm_mask_storeu_ps(out->norm + first, here, norm);
    _mm_mask_storeu_ps(out->residual + first, here, residual);
  }
}

// A row's accumulators: one for each vector of a panel.
struct Accumulators {
  __m512 a, b, c, d;
};

TS_INLINE void step(Accumulators &row, const float *two, __m512 a, __m512 b, __m512 c, __m512 d) {
  __m512 v = _mm512_set1_ps(*two);
  asm("vdpbf16ps %2, %1, %0" : "+v"(row.a) : "v"(a), "v"(v));
  asm("vdpbf16ps %2, %1, %0" : "+v"(row.b) : "v"(b), "v"(v));
  asm("vdpbf16ps %2, %1, %0" : "+v"(row.c) : "v"(c), "v"(v));
  asm("vdpbf16ps %2, %1, %0" : "+v"(row.d) : "v"(d), "v"(v));
}

TS_INLINE __m512 largest(const Accumulators &row) {
  return _mm512_max_ps(_mm512_max_ps(row.a, row.b), _mm512_max_ps(row.c, row.d));
}

TS_INLINE __m512 start(const float *half_norm) { return _mm512_sub_ps(_mm512_setzero_ps(), _mm512_load_ps(half_norm)); }

template <int R>
void screen_rows(const Tile *tile) {
  const Codebook *codebook = tile->codebook;
  const int64_t steps = (codebook->d + 1) / 2, bytes = panel_bytes(codebook->d), words = row_bytes(codebook->d) / 4;
  const auto *x = reinterpret_cast<const float *>(tile->rows->packed) + tile->first_row * words;
  const Findings findings{tile->maxima, tile->error, tile->stride};
  __m512 best[R];
  for (int r = 0; r < R; r++) best[r] = _mm512_set1_ps(tile->lower[r]);
  for (int64_t p = 0; p < tile->panels; p++) {
    const int64_t index = tile->first_panel + p;
    const std::byte *panel = codebook->packed + index * bytes;
    const float *half_norm = codebook->half_norm + index * kPanel;
    Accumulators r0{start(half_norm), start(half_norm + 16), start(half_norm + 32), start(half_norm + 48)};
    Accumulators r1 = r0, r2 = r0, r3 = r0, r4 = r0, r5 = r0;
    const float *two = x;
    for (int64_t i = 0; i < steps; i++, panel += 4 * 64, two++) {
      __m512 a = _mm512_load_ps(panel), b = _mm512_load_ps(panel + 64);
      __m512 c = _mm512_load_ps(panel + 128), d = _mm512_load_ps(panel + 192);
      step(r0, two, a, b, c, d);
      if constexpr (R > 1) step(r1, two + words, a, b, c, d);
      if constexpr (R > 2) step(r2, two + 2 * words, a, b, c, d);
      if constexpr (R > 3) step(r3, two + 3 * words, a, b, c, d);
      if constexpr (R > 4) step(r4, two + 4 * words, a, b, c, d);
      if constexpr (R > 5) step(r5, two + 5 * words, a, b, c, d);
    }
    leave(findings, 0, p, largest(r0), best);
    if constexpr (R > 1) leave(findings, 1, p, largest(r1), best);
    if constexpr (R > 2) leave(findings, 2, p, largest(r2), best);
    if constexpr (R > 3) leave(findings, 3, p, largest(r3), best);
    if constexpr (R > 4) leave(findings, 4, p, largest(r4), best);
    if constexpr (R > 5) leave(findings, 5, p, largest(r5), best);
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

const Family bf16_avx512_family = {
    "bf16-avx512", has_avx512_bf16, &avx512_tools, kTileRows,   rounding, true,    false,   &fp32_avx512_family,
    nullptr,       row_bytes,       panel_bytes,   panel_scale, pack,     nullptr, convert, screen};

}  // namespace tessera::cpu::vq
