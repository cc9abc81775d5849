// Two loops, both one fma a clock on processors with one 512-bit multiplier (Zen 4), which is the limit:
//
//   products   P pixels x V vectors of accumulators; a step loads V vectors of w and broadcasts P numbers for P V fma
//   outer      B scalars x V vectors of accumulators; a step loads V vectors and broadcasts B numbers for B V fma
//
// Up to 24 of the 32 registers accumulate. docs/kernels.md says how to see that none is spilled.
#include "cpu/nn/direct_avx512.h"

#include <immintrin.h>

namespace tessera::cpu::direct {
namespace {

#define TS_INLINE [[gnu::always_inline]] inline

constexpr int64_t kLanes = 16;
constexpr int kMaxPixels = 8, kAccumulators = 24;

TS_INLINE __mmask16 head(int64_t n) { return static_cast<__mmask16>(n >= kLanes ? 0xFFFF : n <= 0 ? 0 : (1 << n) - 1); }

template <int P, int V>
void products_block(const Products &s, int64_t first) {
  const int64_t step = s.step, width = s.width;
  const float *w = s.w, *a = s.a + first * step;
  __m512 sum[P][V];
#pragma GCC unroll 8
  for (int p = 0; p < P; p++)
#pragma GCC unroll 8
    for (int v = 0; v < V; v++) sum[p][v] = s.bias ? _mm512_loadu_ps(s.bias + v * kLanes) : _mm512_setzero_ps();
  for (int64_t segment = 0; segment < s.segments; segment++, a += s.segment) {
    for (int64_t k = 0; k < s.depth; k++, w += width) {
      __m512 b[V];
#pragma GCC unroll 8
      for (int v = 0; v < V; v++) b[v] = _mm512_loadu_ps(w + v * kLanes);
#pragma GCC unroll 8
      for (int p = 0; p < P; p++) {
        __m512 x = _mm512_set1_ps(a[p * step + k]);
#pragma GCC unroll 8
        for (int v = 0; v < V; v++) sum[p][v] = _mm512_fmadd_ps(x, b[v], sum[p][v]);
      }
    }
  }
  // max(0, x) and not max(x, 0): the second operand is kept, so that a NaN passes through.
  if (s.relu)
#pragma GCC unroll 8
    for (int p = 0; p < P; p++)
#pragma GCC unroll 8
      for (int v = 0; v < V; v++) sum[p][v] = _mm512_max_ps(_mm512_setzero_ps(), sum[p][v]);
#pragma GCC unroll 8
  for (int p = 0; p < P; p++)
#pragma GCC unroll 8
    for (int v = 0; v < V; v++)
      _mm512_mask_storeu_ps(s.out + (first + p) * s.out_step + v * kLanes, head(s.columns - v * kLanes), sum[p][v]);
}

// All pixels, P at a time; the last block reaches back over pixels that are done, which get the same values again.
template <int P, int V>
void products_blocks(const Products &s, int64_t pixels) {
  for (int64_t first = 0; first < pixels; first += P) products_block<P, V>(s, first + P <= pixels ? first : pixels - P);
}

// The block of at most `pixels` pixels that wastes least; larger ones need fewer loads.
template <int V>
void products_vectors(const Products &s, int64_t pixels) {
  int best = 1;
  int64_t least = pixels;
  for (int p = 2; p <= kMaxPixels && p * V <= kAccumulators && p <= pixels; p++) {
    if (p == 5) continue;
    int64_t computed = (pixels + p - 1) / p * p;
    // Fewer than four accumulators wait for each other.
    if (computed <= least + least / 8 || best * V < 4) {
      best = p;
      least = computed;
    }
  }
  switch (best) {
    case 8:
      if constexpr (8 * V <= kAccumulators) return products_blocks<8, V>(s, pixels);
      [[fallthrough]];
    case 7:
      if constexpr (7 * V <= kAccumulators) return products_blocks<7, V>(s, pixels);
      [[fallthrough]];
    case 6:
      return products_blocks<6, V>(s, pixels);
    case 4:
      return products_blocks<4, V>(s, pixels);
    case 3:
      return products_blocks<3, V>(s, pixels);
    case 2:
      return products_blocks<2, V>(s, pixels);
    default:
      return products_blocks<1, V>(s, pixels);
  }
}

template <int B, int V>
void outer_block(const Outer &s) {
  const int64_t vector_step = s.vector_step, scalar_step = s.scalar_step;
  const __mmask16 last = head(s.width - (V - 1) * kLanes);
  __m512 sum[B][V];
#pragma GCC unroll 8
  for (int b = 0; b < B; b++)
#pragma GCC unroll 8
    for (int v = 0; v < V; v++) sum[b][v] = _mm512_setzero_ps();
  for (int64_t m = 0; m < s.images; m++)
    for (int64_t y = 0; y < s.rows; y++) {
      const float *vectors = s.vectors + m * s.vector_image + y * s.vector_row;
      const float *scalars = s.scalars + m * s.scalar_image + y * s.scalar_row;
      for (int64_t x = 0; x < s.columns; x++, vectors += vector_step, scalars += scalar_step) {
        __m512 a[V];
#pragma GCC unroll 8
        for (int v = 0; v < V; v++) a[v] = _mm512_maskz_loadu_ps(v + 1 < V ? 0xFFFF : last, vectors + v * kLanes);
#pragma GCC unroll 8
        for (int b = 0; b < B; b++) {
          __m512 scalar = _mm512_set1_ps(scalars[b]);
#pragma GCC unroll 8
          for (int v = 0; v < V; v++) sum[b][v] = _mm512_fmadd_ps(scalar, a[v], sum[b][v]);
        }
      }
    }
#pragma GCC unroll 8
  for (int b = 0; b < B; b++)
#pragma GCC unroll 8
    for (int v = 0; v < V; v++) {
      float *at = s.sum + b * s.sum_step + v * kLanes;
      __mmask16 mask = v + 1 < V ? 0xFFFF : last;
      _mm512_mask_storeu_ps(at, mask, _mm512_add_ps(_mm512_maskz_loadu_ps(mask, at), sum[b][v]));
    }
}

template <int V>
void outer_vectors(const Outer &s) {
  switch (s.scalar_count) {
    case 1:
      return outer_block<1, V>(s);
    case 2:
      return outer_block<2, V>(s);
    case 3:
      return outer_block<3, V>(s);
    case 4:
      return outer_block<4, V>(s);
    case 5:
      if constexpr (5 * V <= kAccumulators) return outer_block<5, V>(s);
      break;
    default:
      if constexpr (6 * V <= kAccumulators) return outer_block<6, V>(s);
  }
}

}  // namespace

void products(const Products &shape, int64_t pixels) {
  Products s = shape;
  for (int64_t left = shape.width; left > 0;) {
    int64_t vectors = left / kLanes < 4 ? left / kLanes : 4;
    switch (vectors) {
      case 1:
        products_vectors<1>(s, pixels);
        break;
      case 2:
        products_vectors<2>(s, pixels);
        break;
      case 3:
        products_vectors<3>(s, pixels);
        break;
      default:
        products_vectors<4>(s, pixels);
    }
    left -= vectors * kLanes, s.columns -= vectors * kLanes;
    s.w += vectors * kLanes, s.out += vectors * kLanes;
    if (s.bias) s.bias += vectors * kLanes;
  }
}

void outer(const Outer &shape) {
  switch ((shape.width + kLanes - 1) / kLanes) {
    case 1:
      return outer_vectors<1>(shape);
    case 2:
      return outer_vectors<2>(shape);
    case 3:
      return outer_vectors<3>(shape);
    case 4:
      return outer_vectors<4>(shape);
    case 5:
      return outer_vectors<5>(shape);
    default:
      return outer_vectors<6>(shape);
  }
}

void add_taps(const TapSums &s) {
  const float *product = s.products;
  float *target = s.target;
  for (int64_t x = 0; x < s.pixels; x++, product += s.width, target += s.target_step)
    for (int64_t i = 0; i < s.rows; i++) {
      const float *from = product + i * s.n;
      float *to = target + i * s.target_row;
      int64_t j = 0;
      for (; j + kLanes <= s.n; j += kLanes)
        _mm512_storeu_ps(to + j, _mm512_add_ps(_mm512_loadu_ps(to + j), _mm512_loadu_ps(from + j)));
        // One by one: the next pixel reads some of these again, and a load waits long for a masked store.
#pragma GCC unroll 1
      for (; j < s.n; j++) to[j] += from[j];
    }
}

void finish_row(const float *x, const float *bias, bool relu, int64_t n, float *y) {
  for (int64_t i = 0; i < n; i += kLanes) {
    __mmask16 mask = head(n - i);
    __m512 v = _mm512_maskz_loadu_ps(mask, x + i);
    if (bias) v = _mm512_add_ps(v, _mm512_maskz_loadu_ps(mask, bias + i));
    if (relu) v = _mm512_max_ps(_mm512_setzero_ps(), v);
    _mm512_mask_storeu_ps(y + i, mask, v);
  }
}

}  // namespace tessera::cpu::direct
