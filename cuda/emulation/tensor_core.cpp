#include "emulation/tensor_core.h"

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <cstring>

namespace tessera::emulation {
namespace {

struct Model {
  int products;  // of 16-bit numbers that one step adds
  int extra;     // fraction bits kept beyond fp32's 23
};

Model model() {
  static const Model chosen = [] {
    const char *name = getenv("TESSERA_EMULATION_TENSOR");
    return name && !strcmp(name, "a100") ? Model{8, 1} : Model{16, 2};
  }();
  return chosen;
}

// Formats of the factors: `kBits` of fraction, exponents with bias `kBias`, of which `kTop` means infinity or NaN.
struct F16 {
  static constexpr int kDepth = 16, kPacked = 2, kBits = 10, kBias = 15, kTop = 31;
  static uint32_t element(uint32_t word, int which) { return which ? word >> 16 : word & 0xFFFF; }
};

struct Bf16 {
  static constexpr int kDepth = 16, kPacked = 2, kBits = 7, kBias = 127, kTop = 255;
  static uint32_t element(uint32_t word, int which) { return which ? word >> 16 : word & 0xFFFF; }
};

struct Tf32 {
  static constexpr int kDepth = 8, kPacked = 1, kBits = 10, kBias = 127, kTop = 255;
  static uint32_t element(uint32_t word, int) { return word >> 13; }
};

// The exponent of a zero: below all others, also when two are added.
constexpr int32_t kZeroExponent = -100000;

constexpr int kWide = 8, kDeep = 16;  // columns of B, and the most elements of one

// Element k of row or column i, taken apart: significand[k][i] * 2^(exponent[k][i] - kBits).
template <int kSize>
struct Factor {
  int32_t significand[kDeep][kSize];
  int32_t exponent[kDeep][kSize];
  float special[kDeep][kSize];  // for sums with infinities and NaNs: those themselves, else the sign
  bool finite[kSize];

  Factor() { std::fill_n(finite, kSize, true); }

  template <class Format>
  void put(uint32_t element, int k, int i) {
    bool negative = element >> (Format::kTop == 31 ? 5 : 8) >> Format::kBits & 1;
    auto fraction = static_cast<int32_t>(element & ((1u << Format::kBits) - 1));
    auto field = static_cast<int>(element >> Format::kBits) & Format::kTop;
    int32_t magnitude = field ? fraction | 1 << Format::kBits : fraction;
    float value = field < Format::kTop ? static_cast<float>(magnitude) : fraction ? NAN : INFINITY;
    significand[k][i] = negative ? -magnitude : magnitude;
    exponent[k][i] = magnitude ? std::max(field, 1) - Format::kBias : kZeroExponent;
    special[k][i] = negative ? -value : value;
    finite[i] = finite[i] && field < Format::kTop;
  }
};

// fp32 from sum * 2^exponent, cut off towards zero.
float truncated(int64_t sum, int exponent) {
  if (sum == 0) return 0.0f;
  int64_t magnitude = sum < 0 ? -sum : sum;
  int width = 64 - __builtin_clzll(static_cast<unsigned long long>(magnitude));
  int drop = std::max(width - 24, -149 - exponent);  // keep 24 bits, fewer if the number is denormal
  if (drop > 0) {
    magnitude = drop > 62 ? 0 : magnitude >> drop;
    exponent += drop;
  }
  uint64_t power = static_cast<uint64_t>(exponent + 1023) << 52;  // 2^exponent: at least 2^-290, so a normal double
  double scale;
  memcpy(&scale, &power, sizeof scale);
  auto value = static_cast<float>(static_cast<double>(magnitude) * scale);
  return sum < 0 ? -value : value;
}

// Sums with an infinity or a NaN go the ordinary way; what is finite does not matter to them.
float add_special(const Factor<16> &a, int row, const Factor<kWide> &b, int column, int first, int n, float c) {
  for (int k = first; k < first + n; k++) {
    float product = a.special[k][row] * b.special[k][column];
    if (!std::isfinite(product)) c += product;
  }
  return c;
}

// One step for a row of the result: c and the products of elements first..first+n-1. A product's exponent is the sum of
// its factors' exponents: it is not normalised before it is aligned. The loops over columns become vector instructions.
template <class Format>
void add_products(const Factor<16> &a, int row, const Factor<kWide> &b, int first, int n, int extra, float *c) {
  int32_t largest[kWide], c_exponent[kWide], sum[kWide] = {};
  uint32_t bits[kWide];
  memcpy(bits, c, sizeof bits);
  for (int j = 0; j < kWide; j++) {
    const auto field = static_cast<int32_t>(bits[j] >> 23 & 255);
    c_exponent[j] = bits[j] << 1 == 0 ? kZeroExponent : std::max(field, 1) - 127;
    largest[j] = c_exponent[j];
  }
  for (int k = first; k < first + n; k++)
    for (int j = 0; j < kWide; j++) largest[j] = std::max(largest[j], a.exponent[k][row] + b.exponent[k][j]);
  // In units of 2^(largest - 23 - extra). Magnitudes are shifted, so that both signs are cut off towards zero. 16
  // products, each below 2^(23 + extra + 2), have a sum below 2^31.
  const int left = 23 + extra - 2 * Format::kBits;
  for (int k = first; k < first + n; k++) {
    for (int j = 0; j < kWide; j++) {
      const int32_t product = a.significand[k][row] * b.significand[k][j];
      const int32_t shift = std::min(largest[j] - a.exponent[k][row] - b.exponent[k][j], 31);
      const int32_t magnitude = (product < 0 ? -product : product) << left >> shift;
      sum[j] += product < 0 ? -magnitude : magnitude;
    }
  }
  for (int j = 0; j < kWide; j++) {
    if (!std::isfinite(c[j]) || !a.finite[row] || !b.finite[j]) {
      c[j] = add_special(a, row, b, j, first, n, c[j]);
      continue;
    }
    const int64_t significand = (bits[j] & 0x7FFFFF) | (bits[j] >> 23 & 255 ? 0x800000 : 0);
    const int64_t aligned = significand << extra >> std::min(largest[j] - c_exponent[j], 62);
    c[j] = truncated(sum[j] + (bits[j] >> 31 ? -aligned : aligned), largest[j] - 23 - extra);
  }
}

// Where the fragments' elements lie: see the head of kernels/intrinsics.cuh.
template <class Format>
void combine_mma(void *const operands[32]) {
  constexpr int kDepth = Format::kDepth, kPacked = Format::kPacked, kHalf = kDepth / 2;
  Factor<16> a;
  Factor<kWide> b;
  float c[16][kWide];
  for (int lane = 0; lane < 32; lane++) {
    const auto *f = static_cast<const Fragments *>(operands[lane]);
    int g = lane / 4, t = lane % 4;
    for (int which = 0; which < kPacked; which++) {
      for (int r = 0; r < 4; r++)
        a.put<Format>(Format::element(f->a[r], which), t * kPacked + which + r / 2 * kHalf, g + r % 2 * 8);
      for (int r = 0; r < 2; r++) b.put<Format>(Format::element(f->b[r], which), t * kPacked + which + r * kHalf, g);
    }
    for (int r = 0; r < 4; r++) c[g + r / 2 * 8][t * 2 + r % 2] = f->c[r];
  }
  const Model m = model();
  const int step = m.products * kDepth / 16;
  for (int row = 0; row < 16; row++)
    for (int k = 0; k < kDepth; k += step) add_products<Format>(a, row, b, k, step, m.extra, c[row]);
  for (int lane = 0; lane < 32; lane++) {
    const auto *f = static_cast<const Fragments *>(operands[lane]);
    for (int r = 0; r < 4; r++) f->c[r] = c[lane / 4 + r / 2 * 8][lane % 4 * 2 + r % 2];
  }
}

}  // namespace

void combine_mma_f16(void *const operands[32], unsigned) { combine_mma<F16>(operands); }
void combine_mma_bf16(void *const operands[32], unsigned) { combine_mma<Bf16>(operands); }
void combine_mma_tf32(void *const operands[32], unsigned) { combine_mma<Tf32>(operands); }

}  // namespace tessera::emulation
