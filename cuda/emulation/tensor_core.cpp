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

// One row of A or column of B, taken apart: element k is significand[k] * 2^(exponent[k] - kBits).
struct Row {
  int32_t significand[16];
  int32_t exponent[16];
  float special[16];  // for sums with infinities and NaNs: those themselves, else the sign
  bool finite;
};

template <class Format>
void take_apart(uint32_t element, int k, Row *row) {
  bool negative = element >> (Format::kTop == 31 ? 5 : 8) >> Format::kBits & 1;
  auto fraction = static_cast<int32_t>(element & ((1u << Format::kBits) - 1));
  auto field = static_cast<int>(element >> Format::kBits) & Format::kTop;
  int32_t significand = field ? fraction | 1 << Format::kBits : fraction;
  float special = field < Format::kTop ? static_cast<float>(significand) : fraction ? NAN : INFINITY;
  row->significand[k] = negative ? -significand : significand;
  row->exponent[k] = significand ? std::max(field, 1) - Format::kBias : kZeroExponent;
  row->special[k] = negative ? -special : special;
  row->finite = row->finite && field < Format::kTop;
}

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
float add_special(const Row &a, const Row &b, int first, int n, float c) {
  for (int i = first; i < first + n; i++) {
    float product = a.special[i] * b.special[i];
    if (!std::isfinite(product)) c += product;
  }
  return c;
}

// One step: c and the products of elements first..first+n-1. A product's exponent is the sum of its factors' exponents:
// it is not normalised before it is aligned.
template <class Format>
float add_products(const Row &a, const Row &b, int first, int n, int extra, float c) {
  if (!std::isfinite(c) || !a.finite || !b.finite) return add_special(a, b, first, n, c);
  uint32_t bits;
  memcpy(&bits, &c, sizeof bits);
  int field = static_cast<int>(bits >> 23 & 255), c_exponent = c == 0.0f ? kZeroExponent : std::max(field, 1) - 127;
  int64_t c_significand = (bits & 0x7FFFFF) | (field ? 0x800000 : 0);
  int largest = c_exponent;
  for (int i = first; i < first + n; i++) largest = std::max(largest, a.exponent[i] + b.exponent[i]);
  if (largest <= kZeroExponent) return 0.0f;
  // In units of 2^(largest - 23 - extra). Magnitudes are shifted, so that both signs are cut off towards zero.
  const int left = 23 + extra - 2 * Format::kBits;
  int64_t sum = c_significand << extra >> std::min(largest - c_exponent, 62);
  if (bits >> 31) sum = -sum;
  for (int i = first; i < first + n; i++) {
    int32_t product = a.significand[i] * b.significand[i];
    int32_t magnitude = (product < 0 ? -product : product) << left;
    magnitude >>= std::min(largest - a.exponent[i] - b.exponent[i], 31);
    sum += product < 0 ? -magnitude : magnitude;
  }
  return truncated(sum, largest - 23 - extra);
}

// Where the fragments' elements lie: see the head of kernels/intrinsics.cuh.
template <class Format>
void combine_mma(void *const operands[32]) {
  constexpr int kDepth = Format::kDepth, kPacked = Format::kPacked, kHalf = kDepth / 2;
  Row a[16], b[8];
  for (Row &row : a) row.finite = true;
  for (Row &row : b) row.finite = true;
  for (int lane = 0; lane < 32; lane++) {
    const auto *f = static_cast<const Fragments *>(operands[lane]);
    int g = lane / 4, t = lane % 4;
    for (int which = 0; which < kPacked; which++) {
      for (int r = 0; r < 4; r++)
        take_apart<Format>(Format::element(f->a[r], which), t * kPacked + which + r / 2 * kHalf, &a[g + r % 2 * 8]);
      for (int r = 0; r < 2; r++)
        take_apart<Format>(Format::element(f->b[r], which), t * kPacked + which + r * kHalf, &b[g]);
    }
  }
  const Model m = model();
  const int step = m.products * kDepth / 16;
  for (int lane = 0; lane < 32; lane++) {
    const auto *f = static_cast<const Fragments *>(operands[lane]);
    for (int r = 0; r < 4; r++) {
      const Row &row = a[lane / 4 + r / 2 * 8], &column = b[lane % 4 * 2 + r % 2];
      for (int k = 0; k < kDepth; k += step) f->c[r] = add_products<Format>(row, column, k, step, m.extra, f->c[r]);
    }
  }
}

}  // namespace

void combine_mma_f16(void *const operands[32], unsigned) { combine_mma<F16>(operands); }
void combine_mma_bf16(void *const operands[32], unsigned) { combine_mma<Bf16>(operands); }
void combine_mma_tf32(void *const operands[32], unsigned) { combine_mma<Tf32>(operands); }

}  // namespace tessera::emulation
