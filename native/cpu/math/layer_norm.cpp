// Layer normalisation over the last dimension. Rows are independent forward and by data; the gradients of gamma and
// beta are summed over rows in blocks of 256 ascending, then the blocks, so that they do not depend on threads.
#include <cmath>

#include "cpu/math/math.h"
#include "cpu/math/parallel.h"

namespace tessera::cpu {
namespace {

constexpr int64_t kRowBlock = 256;
constexpr int64_t kChains = 16;  // sums side by side, which is what the compiler can put into a vector

// Sum over i of term(i), in kChains chains; their sum in float64.
template <class Term>
[[gnu::always_inline]] inline double chained_sum(int64_t n, const Term &term) {
  float chain[kChains] = {};
  int64_t i = 0;
  for (; i + kChains <= n; i += kChains)
    for (int64_t c = 0; c < kChains; c++) chain[c] += term(i + c);
  for (; i < n; i++) chain[i % kChains] += term(i);
  double sum = 0.0;
  for (float c : chain) sum += static_cast<double>(c);
  return sum;
}

TS_CLONES void normalize(const float *x, const float *gamma, const float *beta, int64_t n, float epsilon, float *y,
                         float *mean, float *rstd) {
  const auto m = static_cast<float>(chained_sum(n, [=](int64_t i) { return x[i]; }) / static_cast<double>(n));
  double square = chained_sum(n, [=](int64_t i) { return (x[i] - m) * (x[i] - m); });
  const auto r = static_cast<float>(1.0 / std::sqrt(square / static_cast<double>(n) + static_cast<double>(epsilon)));
  for (int64_t i = 0; i < n; i++) y[i] = (x[i] - m) * r * gamma[i] + beta[i];
  *mean = m;
  *rstd = r;
}

// dx of a row; adds its part of dgamma and dbeta.
TS_CLONES void normalize_backward(const float *x, const float *gamma, float m, float r, const float *dy, int64_t n,
                                  float *dx, float *dgamma, float *dbeta) {
  for (int64_t i = 0; i < n; i++) {
    dgamma[i] += dy[i] * ((x[i] - m) * r);
    dbeta[i] += dy[i];
  }
  const auto count = static_cast<double>(n);
  const auto a = static_cast<float>(chained_sum(n, [=](int64_t i) { return dy[i] * gamma[i]; }) / count);
  const auto b =
      static_cast<float>(chained_sum(n, [=](int64_t i) { return dy[i] * gamma[i] * ((x[i] - m) * r); }) / count);
  for (int64_t i = 0; i < n; i++) dx[i] = r * (dy[i] * gamma[i] - a - (x[i] - m) * r * b);
}

}  // namespace

ts_status layer_norm_forward(void *stream, float epsilon, const float *x, const float *gamma, const float *beta,
                             int64_t rows, int64_t channels, float *y, float *mean, float *rstd) {
  for_range(static_cast<Stream *>(stream), rows * channels, channels, [=](int64_t begin, int64_t end) {
    for (int64_t row = begin / channels; row < end / channels; row++)
      normalize(x + row * channels, gamma, beta, channels, epsilon, y + row * channels, mean + row, rstd + row);
  });
  return TS_OK;
}

ts_status layer_norm_backward(void *stream, const float *x, const float *gamma, const float *mean, const float *rstd,
                              const float *dy, int64_t rows, int64_t channels, float *dx, float *dgamma, float *dbeta) {
  auto *s = static_cast<Stream *>(stream);
  const int64_t blocks = (rows + kRowBlock - 1) / kRowBlock, width = 2 * channels;
  auto *sums = static_cast<float *>(s->scratch.reserve(static_cast<size_t>(blocks * width) * sizeof(float) + 1));
  if (!sums)
    return host->fail(s->report, TS_OUT_OF_MEMORY, "no memory for the partial sums of %lld rows",
                      static_cast<long long>(rows));
  for_range(s, rows * channels, kRowBlock * channels, [=](int64_t begin, int64_t end) {
    for (int64_t first = begin / channels; first < end / channels; first += kRowBlock) {
      float *block = sums + first / kRowBlock * width;
      std::fill_n(block, width, 0.0f);
      for (int64_t row = first; row < std::min(first + kRowBlock, end / channels); row++)
        normalize_backward(x + row * channels, gamma, mean[row], rstd[row], dy + row * channels, channels,
                           dx + row * channels, block, block + channels);
    }
  });
  for (int64_t i = 0; i < channels; i++) {
    float g = 0.0f, b = 0.0f;
    for (int64_t block = 0; block < blocks; block++) {
      g += sums[block * width + i];
      b += sums[block * width + channels + i];
    }
    dgamma[i] = g;
    dbeta[i] = b;
  }
  return TS_OK;
}

}  // namespace tessera::cpu
