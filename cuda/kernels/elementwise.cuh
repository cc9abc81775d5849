// Ops that compute each element of y from the same element of one to three inputs. All are bound by memory: 4 bytes
// read an input and 4 written an element.
//
//   tile       4 elements a thread and turn where all addresses are multiples of 16, else one; 256 threads
//   registers  at most 40, no shared memory
//   in place   y may be an input: a thread reads its elements before it writes them
#pragma once

#include "kernels/intrinsics.cuh"

namespace tessera::cuda {

constexpr int kElementwiseThreads = 256;
constexpr int kElementwiseBlocks = 6;  // resident on a multiprocessor

// ---- unary ops and their derivatives ----

struct Relu {
  TS_DEVICE float operator()(float x) const { return x < 0.0f ? 0.0f : x; }  // a NaN passes
};
struct ReluBackward {
  TS_DEVICE float operator()(float y, float dy) const { return y > 0.0f ? dy : 0.0f; }
};
struct Sigmoid {
  TS_DEVICE float operator()(float x) const {
    // Both branches keep exp's argument negative, so that nothing overflows.
    if (x >= 0.0f) return 1.0f / (1.0f + expf(-x));
    const float e = expf(x);
    return e / (1.0f + e);
  }
};
struct SigmoidBackward {
  TS_DEVICE float operator()(float y, float dy) const { return dy * (y * (1.0f - y)); }
};
struct Tanh {
  TS_DEVICE float operator()(float x) const { return tanhf(x); }
};
struct TanhBackward {
  TS_DEVICE float operator()(float y, float dy) const { return dy * (1.0f - y * y); }
};
struct Exp {
  TS_DEVICE float operator()(float x) const { return expf(x); }
};
struct ExpBackward {
  TS_DEVICE float operator()(float y, float dy) const { return dy * y; }
};
struct Log {
  TS_DEVICE float operator()(float x) const { return logf(x); }
};
struct LogBackward {
  TS_DEVICE float operator()(float x, float dy) const { return dy / x; }
};
struct Square {
  TS_DEVICE float operator()(float x) const { return x * x; }
};
struct SquareBackward {
  TS_DEVICE float operator()(float x, float dy) const { return dy * (2.0f * x); }
};
struct Sqrt {
  TS_DEVICE float operator()(float x) const { return sqrtf(x); }
};
struct SqrtBackward {
  TS_DEVICE float operator()(float y, float dy) const { return dy / (2.0f * y); }
};
struct Abs {
  TS_DEVICE float operator()(float x) const { return fabsf(x); }
};
struct AbsBackward {
  TS_DEVICE float operator()(float x, float dy) const { return x > 0.0f ? dy : x < 0.0f ? -dy : 0.0f; }
};
struct Neg {
  TS_DEVICE float operator()(float x) const { return -x; }
};
struct NegBackward {
  TS_DEVICE float operator()(float, float dy) const { return -dy; }
};

struct Gelu {
  TS_DEVICE float operator()(float x) const { return x * (0.5f * erfcf(-x * 0.70710678f)); }
};
struct GeluBackward {
  TS_DEVICE float operator()(float x, float dy) const {
    const float distribution = 0.5f * erfcf(-x * 0.70710678f), density = 0.39894228f * expf(-0.5f * x * x);
    return dy * (distribution + x * density);
  }
};

// ---- binary ops ----

struct Add {
  TS_DEVICE float operator()(float a, float b) const { return a + b; }
};
struct Sub {
  TS_DEVICE float operator()(float a, float b) const { return a - b; }
};
struct Mul {
  TS_DEVICE float operator()(float a, float b) const { return a * b; }
};
struct Div {
  TS_DEVICE float operator()(float a, float b) const { return a / b; }
};
// NaN if either is NaN: one in a makes both comparisons false and is taken by the last branch, one in b by the middle
// one.
struct Max {
  TS_DEVICE float operator()(float a, float b) const { return a > b ? a : b != b || b > a ? b : a; }
};
struct Min {
  TS_DEVICE float operator()(float a, float b) const { return a < b ? a : b != b || b < a ? b : a; }
};

// ---- with numbers of the call ----

struct Scale {
  float alpha;
  TS_DEVICE float operator()(float x) const { return alpha * x; }
};
struct Axpby {
  float alpha, beta;
  TS_DEVICE float operator()(float x, float y) const { return alpha * x + beta * y; }
};
// Commitment and straight-through of the quantiser's backward pass: ts_vq_backward.
struct Commitment {
  float scale;
  TS_DEVICE float operator()(float x, float quantized) const { return scale * (x - quantized); }
};
struct StraightThrough {
  float scale;
  TS_DEVICE float operator()(float x, float quantized, float gradient) const {
    return gradient + scale * (x - quantized);
  }
};

template <int kInputs>
struct Inputs {
  const float *x[kInputs];
};

template <class Op>
TS_DEVICE float apply(const Op &op, const float (&v)[1]) {
  return op(v[0]);
}
template <class Op>
TS_DEVICE float apply(const Op &op, const float (&v)[2]) {
  return op(v[0], v[1]);
}
template <class Op>
TS_DEVICE float apply(const Op &op, const float (&v)[3]) {
  return op(v[0], v[1], v[2]);
}

// The first 4 * quads elements by fours, the rest one by one.
template <int kInputs, class Op>
TS_KERNEL(kElementwiseThreads, kElementwiseBlocks)
map_elements(Op op, Inputs<kInputs> inputs, float *y, int64_t count, int64_t quads) {
  const int64_t stride = int64_t{gridDim.x} * kElementwiseThreads;
  const int64_t first = int64_t{blockIdx.x} * kElementwiseThreads + threadIdx.x;
  for (int64_t q = first; q < quads; q += stride) {
    float4 v[kInputs];
    TS_UNROLL
    for (int j = 0; j < kInputs; j++) v[j] = load16(inputs.x[j] + 4 * q);
    float a[kInputs], b[kInputs], c[kInputs], d[kInputs];
    TS_UNROLL
    for (int j = 0; j < kInputs; j++) {
      a[j] = v[j].x;
      b[j] = v[j].y;
      c[j] = v[j].z;
      d[j] = v[j].w;
    }
    store16(y + 4 * q, make_float4(apply(op, a), apply(op, b), apply(op, c), apply(op, d)));
  }
  for (int64_t i = 4 * quads + first; i < count; i += stride) {
    float v[kInputs];
    TS_UNROLL
    for (int j = 0; j < kInputs; j++) v[j] = inputs.x[j][i];
    y[i] = apply(op, v);
  }
}

// y [rows, channels] = act(x + bias). A thread divides once for its first channel and then steps.
template <bool kRelu>
TS_KERNEL(kElementwiseThreads, kElementwiseBlocks)
add_bias(const float *x, const float *bias, float *y, int64_t count, int64_t channels) {
  const int64_t stride = int64_t{gridDim.x} * kElementwiseThreads;
  const int64_t first = int64_t{blockIdx.x} * kElementwiseThreads + threadIdx.x;
  const int64_t step = stride % channels;
  int64_t channel = first % channels;
  for (int64_t i = first; i < count; i += stride) {
    const float sum = x[i] + bias[channel];
    y[i] = kRelu ? Relu()(sum) : sum;
    channel += step;
    if (channel >= channels) channel -= channels;
  }
}

}  // namespace tessera::cuda
