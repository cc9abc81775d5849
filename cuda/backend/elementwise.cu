#include "backend/ops.h"
#include "backend/stream.h"
#include "kernels/elementwise.cuh"

namespace tessera::cuda {
namespace {

template <int kInputs, class Op>
ts_status map(Stream *s, Op op, Inputs<kInputs> inputs, float *y, int64_t count) {
  // A tensor may begin at any element of an allocation.
  uintptr_t addresses = reinterpret_cast<uintptr_t>(y);
  for (const float *x : inputs.x) addresses |= reinterpret_cast<uintptr_t>(x);
  int64_t quads = addresses % 16 == 0 ? count / 4 : 0, turns = quads > 0 ? quads : count;
  unsigned grid = s->blocks(ceil_div<int64_t>(turns, kElementwiseThreads), kElementwiseBlocks);
  return TS_LAUNCH_ON(s, "elementwise", (map_elements<kInputs, Op>), grid, kElementwiseThreads, 0, op, inputs, y, count,
                      quads);
}

template <class Op>
ts_status map(Stream *s, Op op, const float *a, float *y, int64_t count) {
  return map(s, op, Inputs<1>{{a}}, y, count);
}

template <class Op>
ts_status map(Stream *s, Op op, const float *a, const float *b, float *y, int64_t count) {
  return map(s, op, Inputs<2>{{a, b}}, y, count);
}

}  // namespace

ts_status unary(void *stream, int32_t op, const float *x, float *y, int64_t count) {
  Stream *s = Stream::of(stream);
  switch (op) {
    case TS_RELU:
      return map(s, Relu(), x, y, count);
    case TS_SIGMOID:
      return map(s, Sigmoid(), x, y, count);
    case TS_TANH:
      return map(s, Tanh(), x, y, count);
    case TS_EXP:
      return map(s, Exp(), x, y, count);
    case TS_LOG:
      return map(s, Log(), x, y, count);
    case TS_SQUARE:
      return map(s, Square(), x, y, count);
    case TS_SQRT:
      return map(s, Sqrt(), x, y, count);
    case TS_ABS:
      return map(s, Abs(), x, y, count);
    case TS_GELU:
      return map(s, Gelu(), x, y, count);
    default:
      return map(s, Neg(), x, y, count);
  }
}

// ReLU, sigmoid, tanh, exp and sqrt read y, the others x.
ts_status unary_backward(void *stream, int32_t op, const float *x, const float *y, const float *dy, float *dx,
                         int64_t count) {
  Stream *s = Stream::of(stream);
  switch (op) {
    case TS_RELU:
      return map(s, ReluBackward(), y, dy, dx, count);
    case TS_SIGMOID:
      return map(s, SigmoidBackward(), y, dy, dx, count);
    case TS_TANH:
      return map(s, TanhBackward(), y, dy, dx, count);
    case TS_EXP:
      return map(s, ExpBackward(), y, dy, dx, count);
    case TS_LOG:
      return map(s, LogBackward(), x, dy, dx, count);
    case TS_SQUARE:
      return map(s, SquareBackward(), x, dy, dx, count);
    case TS_SQRT:
      return map(s, SqrtBackward(), y, dy, dx, count);
    case TS_ABS:
      return map(s, AbsBackward(), x, dy, dx, count);
    case TS_GELU:
      return map(s, GeluBackward(), x, dy, dx, count);
    default:
      return map(s, NegBackward(), x, dy, dx, count);
  }
}

ts_status binary(void *stream, int32_t op, const float *a, const float *b, float *y, int64_t count) {
  Stream *s = Stream::of(stream);
  switch (op) {
    case TS_ADD:
      return map(s, Add(), a, b, y, count);
    case TS_SUB:
      return map(s, Sub(), a, b, y, count);
    case TS_MUL:
      return map(s, Mul(), a, b, y, count);
    case TS_DIV:
      return map(s, Div(), a, b, y, count);
    case TS_MAX:
      return map(s, Max(), a, b, y, count);
    default:
      return map(s, Min(), a, b, y, count);
  }
}

ts_status axpby(void *stream, float alpha, const float *x, float beta, float *y, int64_t count) {
  Stream *s = Stream::of(stream);
  if (beta == 0.0f) return map(s, Scale{alpha}, x, y, count);  // y may be anything, also NaN
  return map(s, Axpby{alpha, beta}, x, y, y, count);
}

ts_status bias(void *stream, int32_t activation, const float *x, const float *bias, float *y, int64_t rows,
               int64_t channels) {
  Stream *s = Stream::of(stream);
  int64_t count = rows * channels;
  unsigned grid = s->blocks(ceil_div<int64_t>(count, kElementwiseThreads), kElementwiseBlocks);
  if (activation == TS_ACTIVATION_RELU)
    return TS_LAUNCH_ON(s, "bias", add_bias<true>, grid, kElementwiseThreads, 0, x, bias, y, count, channels);
  return TS_LAUNCH_ON(s, "bias", add_bias<false>, grid, kElementwiseThreads, 0, x, bias, y, count, channels);
}

ts_status vq_backward(void *stream, float scale, const float *x, const float *quantized, const float *grad_quantized,
                      float *grad_x, int64_t count) {
  Stream *s = Stream::of(stream);
  if (!grad_quantized) return map(s, Commitment{scale}, x, quantized, grad_x, count);
  return map(s, StraightThrough{scale}, Inputs<3>{{x, quantized, grad_quantized}}, grad_x, count);
}

}  // namespace tessera::cuda
