// A codebook's new codes: the check that all are finite, and packing for the search.
//
//   check_codes    4 bytes read an element, bound by memory
//   mean_codes     32 columns a block of 1024 threads; 8 KB shared; 4 bytes and one float64 addition an element
//   spread_codes   a warp a code: its distance from the mean in float64; 4 bytes an element
//   choose_scale   one block
//   pack_codes     a warp a code: 8 bytes and some float64 an element
// All take at most 40 registers.
#pragma once

#include "kernels/codebook_view.cuh"
#include "kernels/fault.cuh"

namespace tessera::cuda {

constexpr int kCodebookThreads = 256;
constexpr int kCodebookWarps = kCodebookThreads / 32;
constexpr int kMeanColumns = 32;
constexpr int kMeanThreads = 1024;
// codes [k, d]; a NaN or an infinity is a fault of its code.
TS_KERNEL(kCodebookThreads, 8) check_codes(const float *codes, int64_t count, int64_t d, FaultSlot fault) {
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
TS_KERNEL(kCodebookThreads, 1)
choose_scale(const double *mean64, int64_t d, int64_t padded_d, float *mean, Spread *spread) {
  const int bias = static_cast<int>(kExponentBias);
  int exponent = spread->norm_exponent ? bias - static_cast<int>(spread->norm_exponent) : 0;
  if (spread->mean_exponent) {
    const int limit = 100 + bias - static_cast<int>(spread->mean_exponent);
    exponent = exponent < limit ? exponent : limit;
  }
  exponent = exponent < 126 ? exponent : 126;
  const float scale = ldexpf(1.0f, exponent);
  for (int64_t i = threadIdx.x; i < padded_d; i += kCodebookThreads)
    mean[i] = i < d ? static_cast<float>(mean64[i] * static_cast<double>(scale)) : 0.0f;
  if (threadIdx.x == 0) spread->scale = scale;
}

// norm [panels] begins as zeros; a positive float's bits are in its order.
TS_KERNEL(kCodebookThreads, 6)
pack_codes(CodebookView book, float *centred, float *half_norm, unsigned *norm) {
  const int lane = static_cast<int>(threadIdx.x) % 32;
  const int64_t slot = int64_t{blockIdx.x} * kCodebookWarps + static_cast<int>(threadIdx.x) / 32;
  float *to = centred + slot * book.padded_d;
  if (slot >= book.k) {
    for (int64_t i = lane; i < book.padded_d; i += 32) to[i] = 0.0f;
    if (lane == 0) half_norm[slot] = kPaddingHalfNorm;
    return;
  }
  const float scale = book.spread->scale;
  const float *code = book.codes + slot * book.d;
  double square = 0.0, rounded_square = 0.0;
  for (int64_t i = lane; i < book.padded_d; i += 32) {
    const float number = i < book.d ? code[i] : 0.0f;
    const double exact =
        fma(static_cast<double>(number), static_cast<double>(scale), -static_cast<double>(book.mean[i]));
    const float rounded = fmaf(number, scale, -book.mean[i]);
    to[i] = rounded;
    square = fma(exact, exact, square);
    rounded_square = fma(static_cast<double>(rounded), static_cast<double>(rounded), rounded_square);
  }
  square = sum_of_warp(square);
  rounded_square = sum_of_warp(rounded_square);
  if (lane > 0) return;
  half_norm[slot] = static_cast<float>(0.5 * square);
  // The largest of the two norms, and a little: sums in float64 are good to 2^-36, the conversion to 2^-24.
  const double larger = square > rounded_square ? square : rounded_square;
  atomic_max(&norm[slot / kPanel], float_bits(static_cast<float>(sqrt(larger) * (1 + 0x1p-22))));
}

}  // namespace tessera::cuda
