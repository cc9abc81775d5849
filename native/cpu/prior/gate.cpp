// The gate of a gated PixelCNN, tanh(a) sigmoid(b). 20 bytes and two exponentials an output; written without branches,
// so that the compiler does 16 outputs at a time.
#include <atomic>
#include <bit>
#include <cstring>

#include "cpu/math/parallel.h"
#include "cpu/prior/prior.h"

namespace tessera::cpu {
namespace {

#define TS_ALWAYS_INLINE inline __attribute__((always_inline))

// exp(x) for x <= 0 to about 1 ulp; what is below -87 counts as -87 (1.6e-38). x = n ln 2 + r, then a polynomial in r
// (Cephes, Moshier 1992, expf). A NaN stays.
TS_ALWAYS_INLINE float exp_of_negative(float x) {
  constexpr float kShift = 12582912.0f;  // 1.5 * 2^23: adding it rounds to an integer, in the low bits
  x = x < -87.0f ? -87.0f : x;
  const float shifted = x * 1.44269504f + kShift;
  const float n = shifted - kShift;
  const float r = (x - n * 0.693359375f) - n * -2.12194440e-4f;
  float p = 1.9875691500e-4f;
  p = p * r + 1.3981999507e-3f;
  p = p * r + 8.3334519073e-3f;
  p = p * r + 4.1665795894e-2f;
  p = p * r + 1.6666665459e-1f;
  p = p * r + 5.0000001201e-1f;
  p = p * (r * r) + r + 1.0f;
  const uint32_t scale = (std::bit_cast<uint32_t>(shifted) - std::bit_cast<uint32_t>(kShift) + 127u) << 23;
  return p * std::bit_cast<float>(scale);
}

// Near 0 by a polynomial, so that the relative error stays small there too (Cephes, tanhf).
TS_ALWAYS_INLINE float tanh_of(float a) {
  const float size = a < 0.0f ? -a : a, e = exp_of_negative(-2.0f * size);
  const float far = (1.0f - e) / (1.0f + e), s = a * a;
  float p = -5.70498872745e-3f;
  p = p * s + 2.06390887954e-2f;
  p = p * s - 5.37397155531e-2f;
  p = p * s + 1.33314422036e-1f;
  p = p * s - 3.33332819422e-1f;
  const float near = p * s * a + a;
  return size < 0.625f ? near : a < 0.0f ? -far : far;
}

TS_ALWAYS_INLINE float sigmoid_of(float b) {
  const float e = exp_of_negative(b < 0.0f ? b : -b), share = 1.0f / (1.0f + e);
  return b < 0.0f ? e * share : share;
}

// One row; `bias` may be null. Each element is read before it is written, so gates may be x.
TS_CLONES void forward_row(const float *x, const float *bias, int64_t n, float *gates, float *y) {
  if (bias) {
#pragma GCC ivdep
    for (int64_t f = 0; f < n; f++) {
      const float t = tanh_of(x[f] + bias[f]), s = sigmoid_of(x[n + f] + bias[n + f]);
      gates[f] = t;
      gates[n + f] = s;
      y[f] = t * s;
    }
  } else {
#pragma GCC ivdep
    for (int64_t f = 0; f < n; f++) {
      const float t = tanh_of(x[f]), s = sigmoid_of(x[n + f]);
      gates[f] = t;
      gates[n + f] = s;
      y[f] = t * s;
    }
  }
}

TS_CLONES void backward_row(const float *gates, const float *dy, int64_t n, float *dx) {
#pragma GCC ivdep
  for (int64_t f = 0; f < n; f++) {
    const float t = gates[f], s = gates[n + f], d = dy[f] * s;
    dx[f] = d * (1.0f - t * t);
    dx[n + f] = d * t * (1.0f - s);
  }
}

TS_CLONES void add_row(const float *__restrict x, int64_t n, double *__restrict sum) {
  for (int64_t i = 0; i < n; i++) sum[i] += static_cast<double>(x[i]);
}

}  // namespace

ts_status gate_forward(void *stream, const float *x, const float *class_bias, const int32_t *classes,
                       int64_t class_count, int64_t class_rows, int64_t rows, int64_t channels, float *gates,
                       float *y) {
  auto *s = static_cast<Stream *>(stream);
  std::atomic<int64_t> fault{rows};
  const int64_t wide = 2 * channels;
  for_range(s, rows * wide, wide, [&](int64_t begin, int64_t end) {
    for (int64_t row = begin / wide; row < end / wide; row++) {
      const float *bias = nullptr;
      if (classes) {
        const int64_t place = row / class_rows, c = classes[place];
        if (c < 0 || c >= class_count) {
          for (int64_t seen = fault; place < seen && !fault.compare_exchange_weak(seen, place);) {
          }
          memset(gates + row * wide, 0, static_cast<size_t>(wide) * sizeof(float));
          memset(y + row * channels, 0, static_cast<size_t>(channels) * sizeof(float));
          continue;
        }
        bias = class_bias + c * wide;
      }
      forward_row(x + row * wide, bias, channels, gates + row * wide, y + row * channels);
    }
  });
  return fault < rows ? host->fault(s->report, TS_FAULT_CODE_RANGE, fault, "gate_forward") : TS_OK;
}

ts_status gate_backward(void *stream, const float *gates, const float *dy, const int32_t *classes, int64_t class_count,
                        int64_t class_rows, int64_t rows, int64_t channels, float *dx, float *dclass_bias) {
  auto *s = static_cast<Stream *>(stream);
  const int64_t wide = 2 * channels;
  for_range(s, rows * wide, wide, [&](int64_t begin, int64_t end) {
    for (int64_t row = begin / wide; row < end / wide; row++)
      backward_row(gates + row * wide, dy + row * channels, channels, dx + row * wide);
  });
  if (!classes) return TS_OK;

  // Threads take channels and not rows, so that each sum has one order of addition.
  const int64_t size = class_count * wide;
  auto *sums = static_cast<double *>(s->scratch.reserve(static_cast<size_t>(size) * sizeof(double) + 1));
  if (!sums)
    return host->fail(s->report, TS_OUT_OF_MEMORY, "no memory for the sums of %lld classes",
                      static_cast<long long>(class_count));
  int64_t fault = -1;
  for (int64_t place = 0; place * class_rows < rows; place++)
    if (classes[place] < 0 || classes[place] >= class_count) {
      fault = place;
      break;
    }
  const int64_t work = rows + class_count, unit = 64;  // of a channel, in elements; channels of a part
  for_range(s, wide * work, unit * work, [&](int64_t begin, int64_t end) {
    const int64_t first = begin / work, n = end / work - first;
    for (int64_t c = 0; c < class_count; c++)
      for (int64_t i = 0; i < n; i++) sums[c * wide + first + i] = 0.0;
    for (int64_t row = 0; row < rows; row++) {
      const int64_t c = classes[row / class_rows];
      if (c >= 0 && c < class_count) add_row(dx + row * wide + first, n, sums + c * wide + first);
    }
    for (int64_t c = 0; c < class_count; c++)
      for (int64_t i = first; i < first + n; i++) dclass_bias[c * wide + i] = static_cast<float>(sums[c * wide + i]);
  });
  return fault >= 0 ? host->fault(s->report, TS_FAULT_CODE_RANGE, fault, "gate_backward") : TS_OK;
}

}  // namespace tessera::cpu
