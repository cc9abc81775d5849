// Ops that compute each element from the same element of their inputs. All but exp, log, sigmoid and tanh are bound by
// memory: 8 to 12 bytes an element.
#include <algorithm>
#include <cmath>
#include <cstring>

#include "cpu/kernels/kernels.h"
#include "cpu/math/math.h"
#include "cpu/math/parallel.h"

namespace tessera::cpu {
namespace {

TS_CLONES void relu_range(const float *x, float *y, int64_t n) {
  // Written so that a NaN passes through.
  for (int64_t i = 0; i < n; i++) y[i] = x[i] < 0.0f ? 0.0f : x[i];
}

TS_CLONES void relu_backward_range(const float *y, const float *dy, float *dx, int64_t n) {
  for (int64_t i = 0; i < n; i++) dx[i] = y[i] > 0.0f ? dy[i] : 0.0f;
}

TS_CLONES void bias_rows(const float *x, const float *bias, float *y, int64_t rows, int64_t channels, bool relu) {
  for (int64_t r = 0; r < rows; r++) {
    const float *in = x + r * channels;
    float *out = y + r * channels;
    if (relu) {
      for (int64_t c = 0; c < channels; c++) {
        float v = in[c] + bias[c];
        out[c] = v < 0.0f ? 0.0f : v;
      }
    } else {
      for (int64_t c = 0; c < channels; c++) out[c] = in[c] + bias[c];
    }
  }
}

TS_CLONES void add_range(const float *a, const float *b, float *y, int64_t n) {
  for (int64_t i = 0; i < n; i++) y[i] = a[i] + b[i];
}

TS_CLONES void mul_range(const float *a, const float *b, float *y, int64_t n) {
  for (int64_t i = 0; i < n; i++) y[i] = a[i] * b[i];
}

TS_CLONES void axpby_range(float alpha, const float *x, float beta, float *y, int64_t n) {
  if (beta == 0.0f) {
    for (int64_t i = 0; i < n; i++) y[i] = alpha * x[i];
  } else {
    for (int64_t i = 0; i < n; i++) y[i] = alpha * x[i] + beta * y[i];
  }
}

template <class F>
void map(const Stream *stream, int64_t count, const F &f) {
  for_range(stream, count, 16, [&f](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; i++) f(i);
  });
}

// Both branches keep exp's argument negative, so that nothing overflows.
float sigmoid(float x) {
  if (x >= 0.0f) return 1.0f / (1.0f + std::exp(-x));
  float e = std::exp(x);
  return e / (1.0f + e);
}

template <class T>
void fill_typed(const Stream *stream, void *y, int64_t count, double value) {
  auto *out = static_cast<T *>(y);
  T v = static_cast<T>(value);
  for_range(stream, count, 64, [out, v](int64_t begin, int64_t end) { std::fill(out + begin, out + end, v); });
}

}  // namespace

ts_status fill(void *stream, void *y, int32_t dtype, int64_t count, double value) {
  auto *s = static_cast<Stream *>(stream);
  switch (dtype) {
    case TS_F32:
      fill_typed<float>(s, y, count, value);
      break;
    case TS_F64:
      fill_typed<double>(s, y, count, value);
      break;
    case TS_I32:
      fill_typed<int32_t>(s, y, count, value);
      break;
    case TS_I64:
      fill_typed<int64_t>(s, y, count, value);
      break;
    default:
      fill_typed<uint8_t>(s, y, count, value);
  }
  return TS_OK;
}

ts_status unary(void *stream, int32_t op, const float *x, float *y, int64_t count) {
  auto *s = static_cast<Stream *>(stream);
  switch (op) {
    case TS_RELU:
      for_range(s, count, 16, [=](int64_t b, int64_t e) { relu_range(x + b, y + b, e - b); });
      break;
    case TS_SIGMOID:
      map(s, count, [=](int64_t i) { y[i] = sigmoid(x[i]); });
      break;
    case TS_TANH:
      map(s, count, [=](int64_t i) { y[i] = std::tanh(x[i]); });
      break;
    case TS_EXP:
      map(s, count, [=](int64_t i) { y[i] = std::exp(x[i]); });
      break;
    case TS_LOG:
      map(s, count, [=](int64_t i) { y[i] = std::log(x[i]); });
      break;
    case TS_SQUARE:
      map(s, count, [=](int64_t i) { y[i] = x[i] * x[i]; });
      break;
    case TS_SQRT:
      map(s, count, [=](int64_t i) { y[i] = std::sqrt(x[i]); });
      break;
    case TS_ABS:
      map(s, count, [=](int64_t i) { y[i] = std::fabs(x[i]); });
      break;
    case TS_GELU: {
      const Kernels *set = kernels(s);
      if (!set) return TS_UNAVAILABLE;
      for_range(s, count, 16, [=](int64_t b, int64_t e) { set->gelu(x + b, y + b, e - b); });
      break;
    }
    default:
      map(s, count, [=](int64_t i) { y[i] = -x[i]; });
  }
  return TS_OK;
}

ts_status unary_backward(void *stream, int32_t op, const float *x, const float *y, const float *dy, float *dx,
                         int64_t count) {
  auto *s = static_cast<Stream *>(stream);
  switch (op) {
    case TS_RELU:
      for_range(s, count, 16, [=](int64_t b, int64_t e) { relu_backward_range(y + b, dy + b, dx + b, e - b); });
      break;
    case TS_SIGMOID:
      map(s, count, [=](int64_t i) { dx[i] = dy[i] * (y[i] * (1.0f - y[i])); });
      break;
    case TS_TANH:
      map(s, count, [=](int64_t i) { dx[i] = dy[i] * (1.0f - y[i] * y[i]); });
      break;
    case TS_EXP:
      map(s, count, [=](int64_t i) { dx[i] = dy[i] * y[i]; });
      break;
    case TS_LOG:
      map(s, count, [=](int64_t i) { dx[i] = dy[i] / x[i]; });
      break;
    case TS_SQUARE:
      map(s, count, [=](int64_t i) { dx[i] = dy[i] * (2.0f * x[i]); });
      break;
    case TS_SQRT:
      map(s, count, [=](int64_t i) { dx[i] = dy[i] / (2.0f * y[i]); });
      break;
    case TS_ABS:
      map(s, count, [=](int64_t i) { dx[i] = x[i] > 0.0f ? dy[i] : x[i] < 0.0f ? -dy[i] : 0.0f; });
      break;
    case TS_GELU: {
      const Kernels *set = kernels(s);
      if (!set) return TS_UNAVAILABLE;
      for_range(s, count, 16, [=](int64_t b, int64_t e) { set->gelu_backward(x + b, dy + b, dx + b, e - b); });
      break;
    }
    default:
      map(s, count, [=](int64_t i) { dx[i] = -dy[i]; });
  }
  return TS_OK;
}

ts_status binary(void *stream, int32_t op, const float *a, const float *b, float *y, int64_t count) {
  auto *s = static_cast<Stream *>(stream);
  switch (op) {
    case TS_ADD:
      for_range(s, count, 16, [=](int64_t i, int64_t e) { add_range(a + i, b + i, y + i, e - i); });
      break;
    case TS_SUB:
      map(s, count, [=](int64_t i) { y[i] = a[i] - b[i]; });
      break;
    case TS_MUL:
      for_range(s, count, 16, [=](int64_t i, int64_t e) { mul_range(a + i, b + i, y + i, e - i); });
      break;
    case TS_DIV:
      map(s, count, [=](int64_t i) { y[i] = a[i] / b[i]; });
      break;
    case TS_MAX:  // a NaN in a makes both comparisons false and is taken by the last branch; one in b by the middle one
      map(s, count, [=](int64_t i) { y[i] = a[i] > b[i] ? a[i] : b[i] != b[i] || b[i] > a[i] ? b[i] : a[i]; });
      break;
    default:
      map(s, count, [=](int64_t i) { y[i] = a[i] < b[i] ? a[i] : b[i] != b[i] || b[i] < a[i] ? b[i] : a[i]; });
  }
  return TS_OK;
}

ts_status axpby(void *stream, float alpha, const float *x, float beta, float *y, int64_t count) {
  for_range(static_cast<Stream *>(stream), count, 16,
            [=](int64_t b, int64_t e) { axpby_range(alpha, x + b, beta, y + b, e - b); });
  return TS_OK;
}

ts_status bias(void *stream, int32_t activation, const float *x, const float *bias, float *y, int64_t rows,
               int64_t channels) {
  bool relu = activation == TS_ACTIVATION_RELU;
  for_range(static_cast<Stream *>(stream), rows * channels, channels,
            [=](int64_t b, int64_t e) { bias_rows(x + b, bias, y + b, (e - b) / channels, channels, relu); });
  return TS_OK;
}

}  // namespace tessera::cpu
