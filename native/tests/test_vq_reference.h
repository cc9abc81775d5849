// What the quantiser's tests compare with: tessera.h's formulas written down plainly, and inputs that are hard on a
// nearest-code search.
#pragma once

#include <algorithm>
#include <cfloat>
#include <cmath>
#include <cstdint>
#include <string>
#include <vector>

#include "harness.h"

namespace tessera::test {

// The contract's distance. The only liberty is an instruction set that has fma, since libm's is slow without.
#if defined(__x86_64__)
__attribute__((target("default")))
#endif
inline double
contract_distance(const float *x, const float *c, int64_t d) {
  double sum = 0;
  for (int64_t i = 0; i < d; i++) {
    double difference = static_cast<double>(x[i]) - static_cast<double>(c[i]);
    sum = std::fma(difference, difference, sum);
  }
  return sum;
}
#if defined(__x86_64__)
__attribute__((target("fma"))) inline double contract_distance(const float *x, const float *c, int64_t d) {
  double sum = 0;
  for (int64_t i = 0; i < d; i++) {
    double difference = static_cast<double>(x[i]) - static_cast<double>(c[i]);
    sum = __builtin_fma(difference, difference, sum);
  }
  return sum;
}
#endif

inline bool finite_row(const float *x, int64_t d) {
  return std::all_of(x, x + d, [](float v) { return std::isfinite(v); });
}

// Nearest codes by float64 brute force; -1 for a row that is not finite.
inline std::vector<int32_t> brute_force(const std::vector<float> &x, const std::vector<float> &codes, int64_t n,
                                        int64_t k, int64_t d) {
  std::vector<int32_t> nearest(static_cast<size_t>(n), -1);
  for (int64_t i = 0; i < n; i++) {
    const float *row = x.data() + i * d;
    if (!finite_row(row, d)) continue;
    double best = HUGE_VAL;
    for (int64_t j = 0; j < k; j++) {
      double distance = contract_distance(row, codes.data() + j * d, d);
      if (distance < best) {
        best = distance;
        nearest[static_cast<size_t>(i)] = static_cast<int32_t>(j);
      }
    }
  }
  return nearest;
}

// Counts and sums in tessera.h's order of addition.
inline void plain_scatter(const std::vector<float> &x, const std::vector<int32_t> &codes, int64_t n, int64_t k,
                          int64_t d, std::vector<int32_t> *counts, std::vector<float> *sums) {
  counts->assign(static_cast<size_t>(k), 0);
  sums->assign(static_cast<size_t>(k * d), 0.0f);
  for (int64_t begin = 0; begin < n; begin += 1024) {
    std::vector<float> block(static_cast<size_t>(k * d), 0.0f);
    std::vector<bool> touched(static_cast<size_t>(k), false);
    for (int64_t i = begin; i < std::min(n, begin + 1024); i++) {
      int64_t code = codes[static_cast<size_t>(i)];
      if (code < 0 || code >= k) continue;
      touched[static_cast<size_t>(code)] = true;
      (*counts)[static_cast<size_t>(code)]++;
      for (int64_t j = 0; j < d; j++) block[static_cast<size_t>(code * d + j)] += x[static_cast<size_t>(i * d + j)];
    }
    for (int64_t code = 0; code < k; code++)
      for (int64_t j = 0; touched[static_cast<size_t>(code)] && j < d; j++)
        (*sums)[static_cast<size_t>(code * d + j)] += block[static_cast<size_t>(code * d + j)];
  }
}

// Kernel families that TESSERA_KERNEL can name; "" leaves the choice to the library, which on a GPU is between these
// two, and other cases leave it too.
inline std::vector<std::string> kernels(const Device &device) {
  if (device.is_gpu()) return {"fp32-simt", "fp16-mma"};
  return {"", "portable", "fp32-avx2", "fp32-avx512", "bf16-avx512", "int8-vnni"};
}

inline void force_kernel(const std::string &name) {
  if (name.empty())
    unsetenv("TESSERA_KERNEL");
  else
    setenv("TESSERA_KERNEL", name.c_str(), 1);
}

// A codebook opened under a forced kernel. `handle` is null if this processor cannot run it. A GPU runs every family,
// or the family has failed its trial there, which is a fault.
struct Codebook {
  ts_codebook *handle = nullptr;

  Codebook(Device &device, const std::vector<float> &codes, int64_t k, int64_t d, const std::string &kernel = "") {
    Tensor<float> tensor(device, {k, d}, codes);
    force_kernel(kernel);
    ts_status status = ts_codebook_open(device.stream, tensor, &handle);
    force_kernel("");
    bool absent = status == TS_UNAVAILABLE && !kernel.empty() && !device.is_gpu();
    CHECK_MSG(status == TS_OK || absent, "kernel %s: %s", kernel.c_str(), device.message().c_str());
  }
  ~Codebook() {
    if (handle) ts_codebook_close(handle, nullptr);
  }
  Codebook(const Codebook &) = delete;
  Codebook &operator=(const Codebook &) = delete;
};

// Inputs of one search.
struct Case {
  const char *name;
  int64_t n, k, d;
  std::vector<float> x, codes;
};

inline float signed_power(Rng &rng, int low, int high) {
  float magnitude = std::ldexp(1.0f + std::uniform_real_distribution<float>(0, 1)(rng),
                               static_cast<int>(uniform_int(rng, low, high)));
  return rng() % 2 ? magnitude : -magnitude;
}

// Kinds of hard inputs.
inline constexpr const char *kKinds[] = {
    "gaussian", "duplicated",      "near-tied", "offset 1e6", "tiny 1e-30",  "huge 1e30",
    "FLT_MAX",  "mixed",           "zero",      "denormal",   "near-offset", "clustered",
    "outlier",  "offset and near", "crowds",    "integers",   "far code",    "subspace"};
inline constexpr int kKindCount = static_cast<int>(std::size(kKinds));
inline constexpr int kSubspace = kKindCount - 1;

inline Case make_case(Rng &rng, int kind, int64_t n, int64_t k, int64_t d) {
  Case c{kKinds[kind], n, k, d, {}, {}};
  auto nk = static_cast<size_t>(k * d), nx = static_cast<size_t>(n * d);
  auto code_of_row = [&] { return uniform_int(rng, 0, k - 1) * d; };
  std::string name = c.name;
  c.codes = gaussian(rng, nk);
  c.x = gaussian(rng, nx);
  auto scale_all = [&](float scale) {
    for (auto &v : c.codes) v *= scale;
    for (auto &v : c.x) v *= scale;
  };
  // Rows at a code, or halfway between two of them.
  auto rows_from_codes = [&] {
    for (int64_t i = 0; i < n; i++) {
      int64_t a = code_of_row(), b = rng() % 2 ? a : code_of_row();
      for (int64_t j = 0; j < d; j++)
        c.x[static_cast<size_t>(i * d + j)] =
            0.5f * c.codes[static_cast<size_t>(a + j)] + 0.5f * c.codes[static_cast<size_t>(b + j)];
    }
  };
  // All codes within an ulp of one of `centres` first ones.
  auto crowd = [&](int64_t centres) {
    for (int64_t i = centres; i < k; i++) {
      for (int64_t j = 0; j < d; j++)
        c.codes[static_cast<size_t>(i * d + j)] = c.codes[static_cast<size_t>(i % centres * d + j)];
      float &v = c.codes[static_cast<size_t>(i * d + uniform_int(rng, 0, d - 1))];
      v = std::nextafter(v, rng() % 2 ? 1e9f : -1e9f);
    }
  };
  if (name == "crowds") {  // near ties that centring cannot pull apart
    crowd(std::min<int64_t>(k, 5));
    rows_from_codes();
    for (size_t i = 0; i < nx; i += 3) c.x[i] = std::nextafter(c.x[i], 1e9f);
  } else if (name == "duplicated") {
    int64_t distinct = std::max<int64_t>(1, k / 4);
    for (int64_t i = distinct; i < k; i++) {
      int64_t from = uniform_int(rng, 0, distinct - 1);
      for (int64_t j = 0; j < d; j++)
        c.codes[static_cast<size_t>(i * d + j)] = c.codes[static_cast<size_t>(from * d + j)];
    }
    rows_from_codes();
  } else if (name == "near-tied") {
    crowd(1);
    rows_from_codes();
  } else if (name == "offset 1e6") {
    for (auto &v : c.codes) v += 1e6f;
    for (auto &v : c.x) v += 1e6f;
  } else if (name == "tiny 1e-30") {
    scale_all(1e-30f);
  } else if (name == "huge 1e30") {
    scale_all(1e30f);
  } else if (name == "FLT_MAX") {
    for (auto &v : c.codes) v = v > 0.5f ? FLT_MAX : v < -0.5f ? -FLT_MAX : v * 1e38f;
    for (auto &v : c.x) v = v > 0.5f ? FLT_MAX : v < -0.5f ? -FLT_MAX : v * 1e38f;
  } else if (name == "mixed") {
    for (int64_t i = 0; i < k; i++) {
      float s = std::fabs(signed_power(rng, -100, 100));
      for (int64_t j = 0; j < d; j++) c.codes[static_cast<size_t>(i * d + j)] *= s;
    }
    for (int64_t i = 0; i < n; i++) {
      float s = std::fabs(signed_power(rng, -100, 100));
      for (int64_t j = 0; j < d; j++) c.x[static_cast<size_t>(i * d + j)] *= s;
    }
  } else if (name == "zero") {
    std::fill(c.codes.begin(), c.codes.end(), 0.0f);
    if (k > 1) c.codes[static_cast<size_t>((k - 1) * d)] = 1e-38f;
    for (int64_t i = 0; i < n; i += 2) std::fill_n(c.x.begin() + i * d, d, i % 4 ? 0.0f : -0.0f);
  } else if (name == "denormal") {
    for (auto &v : c.codes) v = std::ldexp(v, -145);
    for (auto &v : c.x) v = std::ldexp(v, -145);
  } else if (name == "near-offset") {  // the reference's sums tie where exact arithmetic would not
    for (auto &v : c.codes) v *= 1e-12f;
    for (auto &v : c.x) v = 1e6f + v;
  } else if (name == "clustered") {  // like a trained codebook: rows near their code
    for (int64_t i = 0; i < n; i++) {
      int64_t a = code_of_row();
      for (int64_t j = 0; j < d; j++) {
        float &v = c.x[static_cast<size_t>(i * d + j)];
        v = c.codes[static_cast<size_t>(a + j)] + 0.3f * v;
      }
    }
  } else if (name == "outlier") {
    for (int64_t j = 0; j < d; j++) c.codes[static_cast<size_t>(j)] *= 1e4f;
    for (int64_t i = 0; i < n; i += 7) c.x[static_cast<size_t>(i * d)] *= 1e5f;
  } else if (name == "far code") {  // its neighbours share a bound with it, and all codes a mean
    c.codes[static_cast<size_t>(code_of_row() + uniform_int(rng, 0, d - 1))] = 1e6f;
    rows_from_codes();
  } else if (name == "offset and near") {
    for (auto &v : c.codes) v = 1e6f + v;
    crowd(1);
    rows_from_codes();
  } else if (name == "subspace") {
    // Codes near few directions, as an encoder's are, sixteen of which differ in what is left alone.
    const int64_t directions = std::min<int64_t>(d, 8);
    std::vector<float> mix = gaussian(rng, static_cast<size_t>(directions * d));
    for (int64_t i = 0; i < k; i++) {
      float *code = c.codes.data() + i * d;
      if (i % 16 != 0)
        std::copy_n(code - d, d, code);
      else
        for (auto [z, j] = std::pair(gaussian(rng, static_cast<size_t>(directions)), int64_t{0}); j < d; j++) {
          code[j] = 0;
          for (int64_t l = 0; l < directions; l++)
            code[j] += z[static_cast<size_t>(l)] * mix[static_cast<size_t>(l * d + j)];
        }
    }
    std::vector<float> left = gaussian(rng, nk);
    for (size_t i = 0; i < nk; i++) c.codes[i] += 0.1f * left[i];
    std::vector<float> noise = c.x;  // every fourth row stays where it is, off the subspace
    rows_from_codes();
    for (size_t i = 0; i < nx; i++) c.x[i] = i / static_cast<size_t>(d) % 4 == 0 ? noise[i] : c.x[i] + 0.3f * noise[i];
  } else if (name == "integers") {  // many exact ties between different codes
    for (auto &v : c.codes) v = std::round(v);
    for (auto &v : c.x) v = std::round(v);
  }
  return c;
}

}  // namespace tessera::test
