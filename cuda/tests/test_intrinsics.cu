// The emulated instructions against their definitions in the PTX ISA: where each element of a fragment lies, what
// ldmatrix hands to whom, how tensor cores cut off, how conversions round.
#include <cmath>

#include "kernel_test.h"
#include "kernels/intrinsics.cuh"

using namespace tessera::cuda;
using namespace tessera::test;

namespace {

float random_float(Rng &rng) { return std::normal_distribution<float>()(rng); }

// ---- conversions ----

// x rounded to a format by double arithmetic, ties to even.
double rounded(float x, int fraction_bits, int lowest_exponent) {
  int exponent;
  std::frexp(x, &exponent);
  int unit = std::max(exponent - 1, lowest_exponent) - fraction_bits;
  return std::ldexp(std::nearbyint(std::ldexp(static_cast<double>(x), -unit)), unit);
}

void conversions() {
  Rng rng(seed());
  for (uint32_t bits = 0; bits < 65536; bits++) {
    half_t h{static_cast<uint16_t>(bits)};
    float x = to_float(h);
    if (std::isnan(x)) continue;
    CHECK_MSG(to_half(x).bits == h.bits, "half %04x becomes %g and then %04x", bits, x, to_half(x).bits);
  }
  for (int i = 0; i < 200000; i++) {
    float x = std::ldexp(random_float(rng), static_cast<int>(uniform_int(rng, -28, 16)));
    double h = rounded(x, 10, -14);
    float expected = std::fabs(h) > 65504 ? std::copysign(INFINITY, x) : static_cast<float>(h);
    CHECK_MSG(to_float(to_half(x)) == expected, "%.9g becomes half %.9g", x, to_float(to_half(x)));
    CHECK_MSG(to_float(to_bf16(x)) == rounded(x, 7, -126), "%.9g becomes bf16 %.9g", x, to_float(to_bf16(x)));
  }
  for (float tie : {1 + 0x1p-11f, 1 + 3 * 0x1p-11f, 0x1p-25f, 3 * 0x1p-25f})
    CHECK(to_float(to_half(tie)) == rounded(tie, 10, -14));
  CHECK(std::isnan(to_float(to_half(NAN))) && std::isnan(to_float(to_bf16(NAN))));
  CHECK(to_float(to_half(65520.0f)) == INFINITY && to_float(to_half(65519.0f)) == 65504.0f);
  // Ties away from zero.
  CHECK(bits_float(to_tf32(1 + 0x1p-11f)) == 1 + 0x1p-10f && bits_float(to_tf32(-1 - 0x1p-11f)) == -1 - 0x1p-10f);
  CHECK(bits_float(to_tf32(1 + 0x1p-12f)) == 1.0f && bits_float(to_tf32(-INFINITY)) == -INFINITY);
}

// ---- matrix products: whole matrices in, whole matrix out, with the layouts at the head of intrinsics.cuh ----

enum Format { kF16, kBf16, kTf32 };

template <Format kFormat>
TS_DEVICE uint32_t word(const float *pair) {
  if (kFormat == kTf32) return float_bits(pair[0]);
  if (kFormat == kBf16) return pack(to_bf16(pair[0]), to_bf16(pair[1]));
  return pack(to_half(pair[0]), to_half(pair[1]));
}

// a [16][depth], b [depth][8] given transposed, [8][depth], c [16][8]; depth 16, of tf32 8.
template <Format kFormat>
TS_KERNEL(32, 1)
multiply(const float *a, const float *b, float *c) {
  constexpr int kDepth = kFormat == kTf32 ? 8 : 16, kPacked = kFormat == kTf32 ? 1 : 2, kHalf = kDepth / 2;
  const int g = static_cast<int>(threadIdx.x) / 4, t = static_cast<int>(threadIdx.x) % 4;
  uint32_t fa[4], fb[2];
  fa[0] = word<kFormat>(a + g * kDepth + t * kPacked);
  fa[1] = word<kFormat>(a + (g + 8) * kDepth + t * kPacked);
  fa[2] = word<kFormat>(a + g * kDepth + t * kPacked + kHalf);
  fa[3] = word<kFormat>(a + (g + 8) * kDepth + t * kPacked + kHalf);
  fb[0] = word<kFormat>(b + g * kDepth + t * kPacked);
  fb[1] = word<kFormat>(b + g * kDepth + t * kPacked + kHalf);
  float fc[4] = {c[g * 8 + 2 * t], c[g * 8 + 2 * t + 1], c[(g + 8) * 8 + 2 * t], c[(g + 8) * 8 + 2 * t + 1]};
  if (kFormat == kF16) mma_f16(fc, fa, fb);
  if (kFormat == kBf16) mma_bf16(fc, fa, fb);
  if (kFormat == kTf32) mma_tf32(fc, fa, fb);
  c[g * 8 + 2 * t] = fc[0];
  c[g * 8 + 2 * t + 1] = fc[1];
  c[(g + 8) * 8 + 2 * t] = fc[2];
  c[(g + 8) * 8 + 2 * t + 1] = fc[3];
}

template <Format kFormat>
std::vector<float> product(const std::vector<float> &a, const std::vector<float> &b, const std::vector<float> &c) {
  Runner runner;
  DeviceArray<float> da(a), db(b), dc(c);
  CHECK(TS_LAUNCH("mma", multiply<kFormat>, 1, 32, 0, runner.stream(), da.data(), db.data(), dc.data()) == cudaSuccess);
  std::string message = runner.finish();
  CHECK_MSG(message.empty(), "%s", message.c_str());
  return dc.read();
}

// Small integers are exact in every format, so that every element must be right.
template <Format kFormat>
void layout() {
  constexpr size_t kDepth = kFormat == kTf32 ? 8 : 16;
  Rng rng(seed() + 1);
  for (int repeat = 0; repeat < 20; repeat++) {
    std::vector<float> a(16 * kDepth), b(8 * kDepth), c(128);
    for (auto *v : {&a, &b, &c})
      for (float &x : *v) x = static_cast<float>(uniform_int(rng, -50, 50));
    std::vector<float> got = product<kFormat>(a, b, c);
    for (size_t i = 0; i < 16; i++)
      for (size_t j = 0; j < 8; j++) {
        float sum = c[i * 8 + j];
        for (size_t k = 0; k < kDepth; k++) sum += a[i * kDepth + k] * b[j * kDepth + k];
        CHECK_MSG(got[i * 8 + j] == sum, "format %d: element (%zu,%zu) is %g, must be %g", kFormat, i, j,
                  got[i * 8 + j], sum);
      }
  }
}

// On random numbers the error stays below the bound that the search's certificate counts with: depth * 2^-21 of the sum
// of magnitudes; and it is not zero, since tensor cores do cut off.
template <Format kFormat>
void truncation_bound() {
  constexpr size_t kDepth = kFormat == kTf32 ? 8 : 16;
  Rng rng(seed() + 2);
  int inexact = 0;
  for (int repeat = 0; repeat < 50; repeat++) {
    std::vector<float> a(16 * kDepth), b(8 * kDepth), c(128);
    for (auto *v : {&a, &b})
      for (float &x : *v)
        x = kFormat == kBf16 ? to_float(to_bf16(random_float(rng))) : to_float(to_half(random_float(rng)));
    for (float &x : c) x = random_float(rng);
    std::vector<float> got = product<kFormat>(a, b, c);
    for (size_t i = 0; i < 16; i++)
      for (size_t j = 0; j < 8; j++) {
        double sum = c[i * 8 + j], magnitude = std::fabs(sum);
        for (size_t k = 0; k < kDepth; k++) {
          double p = static_cast<double>(a[i * kDepth + k]) * b[j * kDepth + k];
          sum += p;
          magnitude += std::fabs(p);
        }
        double error = std::fabs(got[i * 8 + j] - sum);
        CHECK_MSG(error <= 16 * 0x1p-21 * magnitude, "format %d: error %g of magnitude %g", kFormat, error, magnitude);
        inexact += got[i * 8 + j] != static_cast<float>(sum);
      }
  }
  CHECK_MSG(inexact > 100, "only %d of %d sums differ from the nearest fp32", inexact, 50 * 128);
}

// What is cut off: with 1 in the accumulator, fraction bits below 2^-25 (H100) or 2^-24 (A100) of each product.
void cut_off() {
  const char *name = getenv("TESSERA_EMULATION_TENSOR");
  const bool a100 = name && !strcmp(name, "a100");
  auto sum_of = [](float accumulator, float factor, int products) {
    std::vector<float> a(256, 0.0f), b(128, 0.0f), c(128, accumulator);
    for (size_t i = 0; i < 256; i++) a[i] = i % 16 < static_cast<size_t>(products) ? factor : 0.0f;
    for (float &x : b) x = 0x1p-12f;
    return product<kF16>(a, b, c)[0];
  };
  CHECK(sum_of(1.0f, 0x1p-11f, 1) == 1 + 0x1p-23f);
  CHECK(sum_of(1.0f, 0x1.8p-11f, 1) == 1 + 0x1p-23f);  // 1.5 units: cut off, where rounding would go up
  CHECK(sum_of(-1.0f, -0x1.8p-11f, 1) == -1 - 0x1p-23f);
  CHECK(sum_of(1.0f, 0x1p-12f, 2) == 1 + 0x1p-23f);                  // two halves of a unit are kept and add up
  CHECK(sum_of(1.0f, 0x1p-13f, 4) == (a100 ? 1.0f : 1 + 0x1p-23f));  // quarters: on H100 only
  CHECK(sum_of(1.0f, 0x1p-14f, 8) == 1.0f);                          // eighths: nowhere
}

// ---- ldmatrix ----

template <int kMatrices, bool kTransposed>
TS_KERNEL(32, 1)
load(uint32_t *y) {
  SharedMemory shared;
  TS_SHARED(uint16_t, tile, 32 * 24);  // rows of 48 bytes, the last 16 never read
  for (int i = static_cast<int>(threadIdx.x); i < 32 * 24; i += 32)
    tile[i] = static_cast<uint16_t>(i / 24 * 100 + i % 24);
  TS_SYNC(1);
  uint32_t r[kMatrices];
  // Rows in reverse, so that the addresses matter.
  const uint16_t *row = tile + (31 - static_cast<int>(threadIdx.x)) * 24 + 8;
  if (kTransposed)
    load_matrix_transposed(r, row);
  else
    load_matrix(r, row);
  for (int m = 0; m < kMatrices; m++) y[static_cast<int>(threadIdx.x) * kMatrices + m] = r[m];
}

template <int kMatrices, bool kTransposed>
void loads() {
  Runner runner;
  DeviceArray<uint32_t> y(32 * kMatrices);
  CHECK(TS_LAUNCH("ldmatrix", (load<kMatrices, kTransposed>), 1, 32, shared_bytes<uint16_t>(32 * 24), runner.stream(),
                  y.data()) == cudaSuccess);
  CHECK(runner.finish().empty());
  std::vector<uint32_t> got = y.read();
  for (uint32_t lane = 0; lane < 32; lane++)
    for (uint32_t m = 0; m < kMatrices; m++)
      for (uint32_t half = 0; half < 2; half++) {
        uint32_t row = lane / 4, column = lane % 4 * 2 + half;
        if (kTransposed) std::swap(row, column);
        uint32_t expected = (31 - (8 * m + row)) * 100 + 8 + column;
        CHECK((got[lane * kMatrices + m] >> 16 * half & 0xFFFF) == expected);
      }
}

void load_matrices() {
  loads<1, false>();
  loads<2, false>();
  loads<4, false>();
  loads<1, true>();
  loads<2, true>();
  loads<4, true>();
}

}  // namespace

int main() {
  return run_cases({{"conversions", conversions},
                    {"layout of m16n8k16, fp16", layout<kF16>},
                    {"layout of m16n8k16, bf16", layout<kBf16>},
                    {"layout of m16n8k8, tf32", layout<kTf32>},
                    {"truncation is within its bound, fp16", truncation_bound<kF16>},
                    {"truncation is within its bound, bf16", truncation_bound<kBf16>},
                    {"truncation is within its bound, tf32", truncation_bound<kTf32>},
                    {"what tensor cores cut off", cut_off},
                    {"ldmatrix", load_matrices}});
}
