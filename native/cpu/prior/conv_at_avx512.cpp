// One position of a masked convolution in AVX-512: tiles of up to 6 images and 64 channels, 24 sums in registers. A
// multiply-add a clock needs 4 loads of weights and 6 broadcasts for 24 of them; the weights come from the L2 cache,
// once a tile.
#include <immintrin.h>

#include "cpu/prior/conv_at.h"

namespace tessera::cpu {
namespace {

constexpr int kLanes = 16, kVectors = 4;

// kImages images from `image` on, channels from `first` on: kCount vectors, the last of them under `mask`.
template <int kImages, int kCount>
void tile(const ConvAt &s, int64_t image, int64_t first, __mmask16 mask) {
  __m512 sum[kImages][kCount];
  // Unrolled early, or GCC 12 keeps the sums in memory and stores them in every turn.
#pragma GCC unroll 4
  for (int v = 0; v < kCount; v++) {
    const __mmask16 m = v + 1 < kCount ? __mmask16(0xFFFF) : mask;
    const __m512 b = s.bias ? _mm512_maskz_loadu_ps(m, s.bias + first + v * kLanes) : _mm512_setzero_ps();
#pragma GCC unroll 6
    for (int i = 0; i < kImages; i++) sum[i][v] = b;
  }
  for (int64_t run = 0; run < s.run_count; run++) {
    const float *x = s.runs[run].x + image * s.image_step, *w = s.runs[run].w + first;
    for (int64_t d = 0; d < s.depth; d++, w += s.out_c) {
      __m512 weight[kCount];
#pragma GCC unroll 4
      for (int v = 0; v < kCount; v++)
        weight[v] = _mm512_maskz_loadu_ps(v + 1 < kCount ? __mmask16(0xFFFF) : mask, w + v * kLanes);
#pragma GCC unroll 6
      for (int i = 0; i < kImages; i++) {
        const __m512 value = _mm512_set1_ps(x[i * s.image_step + d]);
#pragma GCC unroll 4
        for (int v = 0; v < kCount; v++) sum[i][v] = _mm512_fmadd_ps(value, weight[v], sum[i][v]);
      }
    }
  }
#pragma GCC unroll 6
  for (int i = 0; i < kImages; i++)
#pragma GCC unroll 4
    for (int v = 0; v < kCount; v++) {
      __m512 y = sum[i][v];
      if (s.relu) y = _mm512_max_ps(_mm512_setzero_ps(), y);  // of two unordered ones the second: a NaN stays
      _mm512_mask_storeu_ps(s.y + (image + i) * s.out_c + first + v * kLanes, v + 1 < kCount ? __mmask16(0xFFFF) : mask,
                            y);
    }
}

template <int kImages>
void columns(const ConvAt &s, int64_t image) {
  int64_t first = 0;
  for (; first + kVectors * kLanes <= s.out_c; first += kVectors * kLanes)
    tile<kImages, kVectors>(s, image, first, 0xFFFF);
  const int64_t rest = s.out_c - first;
  const auto mask = static_cast<__mmask16>(rest % kLanes == 0 ? 0xFFFF : (1u << (rest % kLanes)) - 1);
  if (rest > 3 * kLanes) return tile<kImages, 4>(s, image, first, mask);
  if (rest > 2 * kLanes) return tile<kImages, 3>(s, image, first, mask);
  if (rest > kLanes) return tile<kImages, 2>(s, image, first, mask);
  if (rest > 0) return tile<kImages, 1>(s, image, first, mask);
}

}  // namespace

void conv_at_avx512(const ConvAt &s, int64_t begin, int64_t end) {
  int64_t image = begin;
  for (; image + kConvAtImages <= end; image += kConvAtImages) columns<kConvAtImages>(s, image);
  switch (end - image) {
    case 5:
      return columns<5>(s, image);
    case 4:
      return columns<4>(s, image);
    case 3:
      return columns<3>(s, image);
    case 2:
      return columns<2>(s, image);
    case 1:
      return columns<1>(s, image);
    default:
      return;
  }
}

}  // namespace tessera::cpu
