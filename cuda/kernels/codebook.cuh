// A codebook's new codes: the check that all are finite, and packing for the search.
//
//   check_codes    4 bytes read an element, bound by memory
//   mean_codes     32 columns a block of 1024 threads; 8 KB shared; 4 bytes and one float64 addition an element
//   spread_codes   a warp a code: its distance from the mean in float64; 4 bytes an element
//   choose_scale   one block
//   pack_codes     a warp a code: 4 bytes read, 2 or 4 written and some float64 an element
//   bound_panels   a thread a panel of 128 codes
// All take at most 40 registers, pack_codes at most 64.
#pragma once

#include "kernels/codebook_view.cuh"
#include "kernels/fault.cuh"
#include "kernels/format.cuh"

namespace tessera::cuda {

constexpr int kCodebookThreads = 256;
constexpr int kCodebookWarps = kCodebookThreads / 32;
constexpr int kMeanColumns = 32;
constexpr int kMeanThreads = 1024;

// codes [k, d]; a NaN or an infinity is a fault of its code.
TS_KERNEL(kCodebookThreads, 6) check_codes(const float *codes, int64_t count, int64_t d, FaultSlot fault) {
  const int64_t stride = int64_t{gridDim.x} * kCodebookThreads;
  for (int64_t i = int64_t{blockIdx.x} * kCodebookThreads + threadIdx.x; i < count; i += stride)
    if (!is_finite(codes[i])) report_fault(fault, i / d);
}

// The order of exponents for atomic_max. Codes that are not finite are packed too, before anybody knows.
TS_DEVICE unsigned exponent_of(double magnitude) {
  const bool usual = magnitude > 0.0 && magnitude < INFINITY;
  return usual ? static_cast<unsigned>(ilogb(magnitude) + static_cast<int>(kExponentBias)) : 0;
}

TS_DEVICE double sum_of_warp(double value) {
  TS_UNROLL
  for (int mask = 16; mask > 0; mask /= 2) value += shuffle_xor(value, mask);
  return value;
}

// A float that is not less; infinities and NaNs stay what they are.
TS_DEVICE float rounded_up(double value) {
  const uint32_t bits = float_bits(static_cast<float>(value));
  return bits_float(bits < 0x7F800000u ? bits + 1 : bits);
}

// The numbers of one code, centred: zeros beyond the last.
struct CentredCode {
  const float *code, *mean;
  double scale;
  int64_t d;

  TS_DEVICE double operator[](int64_t i) const {
    return TS_GUARD(5, i < d) ? fma(static_cast<double>(code[i]), scale, -static_cast<double>(mean[i])) : 0.0;
  }
};

// mean [d] in float64. Each warp adds every 32nd code, then the warps' sums are added in order.
TS_KERNEL(kMeanThreads, 1) mean_codes(const float *codes, int64_t k, int64_t d, double *mean, Spread *spread) {
  SharedMemory shared;
  TS_SHARED(double, sums, kMeanThreads);
  const int lane = static_cast<int>(threadIdx.x) % 32, warp = static_cast<int>(threadIdx.x) / 32;
  const int64_t column = int64_t{blockIdx.x} * kMeanColumns + lane;
  const bool inside = TS_GUARD(1, column < d);
  double sum = 0.0;
  for (int64_t code = warp; code < k && inside; code += kMeanThreads / 32)
    sum += static_cast<double>(codes[code * d + column]);
  sums[threadIdx.x] = sum;
  TS_SYNC(2);
  if (warp > 0 || !inside) return;
  sum = 0.0;
  for (int w = 0; w < kMeanThreads / 32; w++) sum += sums[w * 32 + lane];
  sum /= static_cast<double>(k);
  mean[column] = sum;
  atomic_max(&spread->mean_exponent, exponent_of(fabs(sum)));
}

TS_KERNEL(kCodebookThreads, 6)
spread_codes(const float *codes, int64_t k, int64_t d, const double *mean, Spread *spread) {
  const int lane = static_cast<int>(threadIdx.x) % 32;
  const int64_t code = int64_t{blockIdx.x} * kCodebookWarps + static_cast<int>(threadIdx.x) / 32;
  if (!TS_GUARD(3, code < k)) return;
  double square = 0.0;
  for (int64_t i = lane; i < d; i += 32) {
    const double difference = static_cast<double>(codes[code * d + i]) - mean[i];
    square += difference * difference;
  }
  square = sum_of_warp(square);
  if (lane == 0) atomic_max(&spread->norm_exponent, exponent_of(sqrt(square)));
}

// The power of two that brings the largest centred norm into [1, 2), as far as the mean stays in fp32's range.
template <class Format>
TS_KERNEL(kCodebookThreads, 1)
choose_scale(const double *mean64, int64_t d, float *mean, Spread *spread) {
  const int bias = static_cast<int>(kExponentBias);
  int exponent = spread->norm_exponent ? bias - static_cast<int>(spread->norm_exponent) : 0;
  if (spread->mean_exponent) {
    const int limit = 100 + bias - static_cast<int>(spread->mean_exponent);
    exponent = exponent < limit ? exponent : limit;
  }
  exponent = exponent < 126 ? exponent : 126;
  const float scale = ldexpf(1.0f, exponent);
  for (int64_t i = threadIdx.x; i < d; i += kCodebookThreads)
    mean[i] = static_cast<float>(mean64[i] * static_cast<double>(scale));
  if (threadIdx.x > 0) return;
  // A code is within 2 of the exact mean, and that is within a rounding of fp32 for each number of the mean that codes
  // are centred on: far more than 2 where they lie close together and far from 0.
  const double largest_mean = ldexp(spread->mean_exponent ? 2.0 : 0.0, static_cast<int>(spread->mean_exponent) - bias);
  const double most = 2.0 + sqrt(static_cast<double>(d)) * 0x1p-24 * largest_mean * static_cast<double>(scale);
  spread->scale = scale;
  spread->code_scale = Format::scale(static_cast<float>(most));
  spread->screenable = 1;
}

// The family's copy of the codes. `terms` [panels] begin as zeros and get the norms; a positive float's bits are in its
// order.
template <class Format>
TS_KERNEL(kCodebookThreads, 4)
pack_codes(CodebookView book, uint4 *packed, float *half_norm, PanelTerms *terms) {
  const int lane = static_cast<int>(threadIdx.x) % 32;
  const int64_t code = int64_t{blockIdx.x} * kCodebookWarps + static_cast<int>(threadIdx.x) / 32;
  const int64_t panel = code / kPanel, slot = panel * kPanel + Format::slot_of(static_cast<int>(code % kPanel));
  const bool padding = code >= book.k;
  const CentredCode c = {book.codes + code * book.d, book.mean, static_cast<double>(book.spread->scale),
                         padding ? 0 : book.d};
  const float scale = book.spread->code_scale;
  double square = 0.0, rounded_square = 0.0, lost_square = 0.0;
  for (int64_t i = 2 * lane; i < int64_t{book.units} * Format::kPerUnit; i += 64) {
    float scaled[2];
    TS_UNROLL
    for (int j = 0; j < 2; j++) {
      const double exact = c[i + j];
      scaled[j] = static_cast<float>(exact) * scale;
      const double rounded = static_cast<double>(Format::rounded(scaled[j])) / static_cast<double>(scale);
      square = fma(exact, exact, square);
      rounded_square = fma(rounded, rounded, rounded_square);
      lost_square = fma(exact - rounded, exact - rounded, lost_square);
    }
    Format::store_pair(packed + slot * book.units, i, scaled[0], scaled[1]);
  }
  square = sum_of_warp(square);
  rounded_square = sum_of_warp(rounded_square);
  lost_square = sum_of_warp(lost_square);
  if (lane > 0) return;
  half_norm[code] = padding ? kPaddingHalfNorm : static_cast<float>(0.5 * square);
  if (padding) return;
  // Float64 sums of up to 65536 squares are good to 2^-36, centring to 2^-53.
  const double least = Format::least_norm(scale);
  const double largest = sqrt(square > rounded_square ? square : rounded_square) * (1 + 0x1p-30);
  const double norm = largest < least ? least : largest;  // a NaN stays
  const double residual = sqrt(lost_square) * (1 + 0x1p-30) + norm * 0x1p-52;
  atomic_max(reinterpret_cast<unsigned *>(&terms[panel].norm), float_bits(rounded_up(norm)));
  atomic_max(reinterpret_cast<unsigned *>(&terms[panel].residual), float_bits(rounded_up(residual)));
}

// The rest of the panels' terms.
TS_KERNEL(kCodebookThreads, 6) bound_panels(PanelBound bound, int panels, PanelTerms *terms, Spread *spread) {
  const int panel = static_cast<int>(blockIdx.x) * kCodebookThreads + static_cast<int>(threadIdx.x);
  if (!TS_GUARD(4, panel < panels)) return;
  const double norm = terms[panel].norm;
  terms[panel].constant = rounded_up(bound.constant * norm * norm + 0x1p-90);
  terms[panel].fp32_constant = rounded_up(bound.fp32_constant * norm * norm + 0x1p-90);
  if (!(terms[panel].norm <= kLargestCodeNorm)) spread->screenable = 0;
}

}  // namespace tessera::cuda
