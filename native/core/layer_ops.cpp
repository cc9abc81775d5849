// Arguments of convolutions and matrix products.
#include <algorithm>
#include <cstring>
#include <limits>

#include "core/checks.h"

using namespace tessera;

namespace {

constexpr int64_t kMaxInt32 = std::numeric_limits<int32_t>::max();

bool params_ok(Call &call, const ts_conv2d_params *params) {
  return call.not_null("params", params) && call.struct_size("params", params->struct_size, sizeof *params) &&
         call.range("params.activation", params->activation, TS_ACTIVATION_NONE, TS_ACTIVATION_RELU) &&
         call.range("params.stride_h", params->stride_h, 1, kMaxInt32) &&
         call.range("params.stride_w", params->stride_w, 1, kMaxInt32) &&
         call.range("params.dilation_h", params->dilation_h, 1, kMaxInt32) &&
         call.range("params.dilation_w", params->dilation_w, 1, kMaxInt32) &&
         call.range("params.pad_top", params->pad_top, 0, kMaxInt32) &&
         call.range("params.pad_left", params->pad_left, 0, kMaxInt32) &&
         call.range("params.pad_bottom", params->pad_bottom, 0, kMaxInt32) &&
         call.range("params.pad_right", params->pad_right, 0, kMaxInt32) &&
         call.range("params.groups", params->groups, 1, kMaxInt32);
}

// Size of a convolution's output along one side; 0 if the kernel does not fit. 64 bits hold it: all inputs are int32,
// but the product dilation (kernel - 1), which is bounded first.
int64_t output_size(int64_t in, int64_t kernel, int64_t stride, int64_t dilation, int64_t before, int64_t after) {
  int64_t reach = dilation * (kernel - 1) + 1;
  int64_t padded = in + before + after;
  return reach > padded ? 0 : (padded - reach) / stride + 1;
}

bool side_ok(Call &call, const char *side, const View &in, const View &out, int axis, int64_t kernel, int64_t stride,
             int64_t dilation, int64_t before, int64_t after) {
  int64_t size = output_size(in.dim(axis), kernel, stride, dilation, before, after);
  if (size < 1)
    return call.fail("the kernel reaches over %lld pixels but the padded %s of %s is %lld",
                     static_cast<long long>(dilation * (kernel - 1) + 1), side, in.name,
                     static_cast<long long>(in.dim(axis) + before + after));
  if (out.dim(axis) != size)
    return call.fail("%s has %s %lld but a %s of %lld of %s gives %lld", out.name, side,
                     static_cast<long long>(out.dim(axis)), side, static_cast<long long>(in.dim(axis)), in.name,
                     static_cast<long long>(size));
  return true;
}

// The convolution that takes `in` to `out` with weights w [O,KH,KW,I/groups]; for a transposed convolution in is its
// output and out its input.
bool conv_shape(Call &call, const ts_conv2d_params *params, const View &in, const View &w, const View &out,
                ts_conv_shape *shape) {
  for (const View *view : {&in, &w, &out}) {
    if (!call.rank(*view, 4)) return false;
    // oneDNN and the kernels index with 32 bits along one dimension; tensors may still be larger than 4 GiB.
    for (int i = 0; i < 4; i++)
      if (!call.range(view->name, view->dim(i), view == &w || i > 0 ? 1 : 0, kMaxInt32))
        return call.fail("%s.dims[%d] is %lld but must be from %d to %lld", view->name, i,
                         static_cast<long long>(view->dim(i)), view == &w || i > 0 ? 1 : 0,
                         static_cast<long long>(kMaxInt32));
  }
  int64_t groups = params->groups;
  if (in.dim(3) % groups || out.dim(3) % groups)
    return call.fail("params.groups is %lld but must divide the channels of %s, %lld, and of %s, %lld",
                     static_cast<long long>(groups), in.name, static_cast<long long>(in.dim(3)), out.name,
                     static_cast<long long>(out.dim(3)));
  if (!call.shape(w, {out.dim(3), w.dim(1), w.dim(2), in.dim(3) / groups})) return false;
  if (in.dim(0) != out.dim(0))
    return call.fail("%s has a batch of %lld but %s has %lld", out.name, static_cast<long long>(out.dim(0)), in.name,
                     static_cast<long long>(in.dim(0)));
  if (!side_ok(call, "height", in, out, 1, w.dim(1), params->stride_h, params->dilation_h, params->pad_top,
               params->pad_bottom) ||
      !side_ok(call, "width", in, out, 2, w.dim(2), params->stride_w, params->dilation_w, params->pad_left,
               params->pad_right))
    return false;
  *shape = {.batch = in.dim(0),
            .in_h = in.dim(1),
            .in_w = in.dim(2),
            .in_c = in.dim(3),
            .out_h = out.dim(1),
            .out_w = out.dim(2),
            .out_c = out.dim(3),
            .kernel_h = w.dim(1),
            .kernel_w = w.dim(2),
            .stride_h = params->stride_h,
            .stride_w = params->stride_w,
            .dilation_h = params->dilation_h,
            .dilation_w = params->dilation_w,
            .pad_top = params->pad_top,
            .pad_left = params->pad_left,
            .pad_bottom = params->pad_bottom,
            .pad_right = params->pad_right,
            .groups = groups,
            .activation = params->activation};
  return true;
}

// Which way a convolution's tensors stand: in a transposed one x is the underlying convolution's output.
enum class Kind { kPlain, kTransposed };

using ForwardFn = decltype(ts_backend::conv2d_forward);
using DataFn = decltype(ts_backend::conv2d_backward_data);
using WeightsFn = decltype(ts_backend::conv2d_backward_weights);

ts_status forward(Call &call, Kind kind, ForwardFn op, const ts_conv2d_params *params, const ts_tensor *x_,
                  const ts_tensor *w_, const ts_tensor *bias_, const ts_tensor *y_) {
  View x, w, bias, y;
  ts_conv_shape shape;
  if (!params_ok(call, params) || !call.tensor("x", x_, TS_F32, &x) || !call.tensor("w", w_, TS_F32, &w) ||
      !call.optional("bias", bias_, TS_F32, &bias) || !call.tensor("y", y_, TS_F32, &y) ||
      !(kind == Kind::kPlain ? conv_shape(call, params, x, w, y, &shape) : conv_shape(call, params, y, w, x, &shape)) ||
      (bias.present && !call.shape(bias, {y.dim(3)})) || !call.distinct(y, {x, w, bias}))
    return call.status();
  return op(call.impl(), &shape, x.data<const float>(), w.data<const float>(), bias.data<const float>(),
            y.data<float>());
}

ts_status backward_data(Call &call, Kind kind, DataFn op, const ts_conv2d_params *params, const ts_tensor *dy_,
                        const ts_tensor *w_, const ts_tensor *dx_) {
  View dy, w, dx;
  ts_conv_shape shape;
  if (!params_ok(call, params) || !call.tensor("dy", dy_, TS_F32, &dy) || !call.tensor("w", w_, TS_F32, &w) ||
      !call.tensor("dx", dx_, TS_F32, &dx) ||
      !(kind == Kind::kPlain ? conv_shape(call, params, dx, w, dy, &shape)
                             : conv_shape(call, params, dy, w, dx, &shape)) ||
      !call.distinct(dx, {dy, w}))
    return call.status();
  shape.activation = TS_ACTIVATION_NONE;
  return op(call.impl(), &shape, dy.data<const float>(), w.data<const float>(), dx.data<float>());
}

ts_status backward_weights(Call &call, Kind kind, WeightsFn op, const ts_conv2d_params *params, const ts_tensor *x_,
                           const ts_tensor *dy_, const ts_tensor *dw_, const ts_tensor *dbias_) {
  View x, dy, dw, dbias;
  ts_conv_shape shape;
  if (!params_ok(call, params) || !call.tensor("x", x_, TS_F32, &x) || !call.tensor("dy", dy_, TS_F32, &dy) ||
      !call.tensor("dw", dw_, TS_F32, &dw) || !call.optional("dbias", dbias_, TS_F32, &dbias) ||
      !(kind == Kind::kPlain ? conv_shape(call, params, x, dw, dy, &shape)
                             : conv_shape(call, params, dy, dw, x, &shape)) ||
      (dbias.present && !call.shape(dbias, {dy.dim(3)})) || !call.distinct(dw, {x, dy, dbias}) ||
      !call.distinct(dbias, {x, dy}))
    return call.status();
  shape.activation = TS_ACTIVATION_NONE;
  return op(call.impl(), &shape, x.data<const float>(), dy.data<const float>(), dw.data<float>(), dbias.data<float>());
}

}  // namespace

ts_status ts_conv2d_forward(ts_stream *stream, const ts_conv2d_params *params, const ts_tensor *x, const ts_tensor *w,
                            const ts_tensor *bias, const ts_tensor *y) {
  TS_STREAM_CALL(call, stream);
  return forward(call, Kind::kPlain, call.backend()->conv2d_forward, params, x, w, bias, y);
}

ts_status ts_conv2d_backward_data(ts_stream *stream, const ts_conv2d_params *params, const ts_tensor *dy,
                                  const ts_tensor *w, const ts_tensor *dx) {
  TS_STREAM_CALL(call, stream);
  return backward_data(call, Kind::kPlain, call.backend()->conv2d_backward_data, params, dy, w, dx);
}

ts_status ts_conv2d_backward_weights(ts_stream *stream, const ts_conv2d_params *params, const ts_tensor *x,
                                     const ts_tensor *dy, const ts_tensor *dw, const ts_tensor *dbias) {
  TS_STREAM_CALL(call, stream);
  return backward_weights(call, Kind::kPlain, call.backend()->conv2d_backward_weights, params, x, dy, dw, dbias);
}

ts_status ts_conv_transpose2d_forward(ts_stream *stream, const ts_conv2d_params *params, const ts_tensor *x,
                                      const ts_tensor *w, const ts_tensor *bias, const ts_tensor *y) {
  TS_STREAM_CALL(call, stream);
  return forward(call, Kind::kTransposed, call.backend()->conv_transpose2d_forward, params, x, w, bias, y);
}

ts_status ts_conv_transpose2d_backward_data(ts_stream *stream, const ts_conv2d_params *params, const ts_tensor *dy,
                                            const ts_tensor *w, const ts_tensor *dx) {
  TS_STREAM_CALL(call, stream);
  return backward_data(call, Kind::kTransposed, call.backend()->conv_transpose2d_backward_data, params, dy, w, dx);
}

ts_status ts_conv_transpose2d_backward_weights(ts_stream *stream, const ts_conv2d_params *params, const ts_tensor *x,
                                               const ts_tensor *dy, const ts_tensor *dw, const ts_tensor *dbias) {
  TS_STREAM_CALL(call, stream);
  return backward_weights(call, Kind::kTransposed, call.backend()->conv_transpose2d_backward_weights, params, x, dy, dw,
                          dbias);
}

ts_status ts_matmul(ts_stream *stream, const ts_matmul_params *params, const ts_tensor *a_, const ts_tensor *b_,
                    const ts_tensor *bias_, const ts_tensor *c_) {
  TS_STREAM_CALL(call, stream);
  View a, b, bias, c;
  if (!call.not_null("params", params) || !call.struct_size("params", params->struct_size, sizeof *params) ||
      !call.range("params.transpose_a", params->transpose_a, 0, 1) ||
      !call.range("params.transpose_b", params->transpose_b, 0, 1) ||
      !call.range("params.accumulate", params->accumulate, 0, 1) ||
      !call.range("params.activation", params->activation, TS_ACTIVATION_NONE, TS_ACTIVATION_RELU) ||
      !call.range("params.sequential", params->sequential, 0, 1) || !call.tensor("a", a_, TS_F32, &a) ||
      !call.rank(a, 2) || !call.tensor("b", b_, TS_F32, &b) || !call.rank(b, 2) ||
      !call.optional("bias", bias_, TS_F32, &bias) || !call.tensor("c", c_, TS_F32, &c) || !call.rank(c, 2))
    return call.status();
  ts_matmul_shape shape{.m = c.dim(0),
                        .n = c.dim(1),
                        .k = a.dim(params->transpose_a ? 0 : 1),
                        .transpose_a = params->transpose_a,
                        .transpose_b = params->transpose_b,
                        .accumulate = params->accumulate,
                        .activation = params->activation,
                        .sequential = params->sequential};
  bool a_ok = params->transpose_a ? call.shape(a, {shape.k, shape.m}) : call.shape(a, {shape.m, shape.k});
  if (!a_ok) return call.status();
  bool b_ok = params->transpose_b ? call.shape(b, {shape.n, shape.k}) : call.shape(b, {shape.k, shape.n});
  if (!b_ok || (bias.present && !call.shape(bias, {shape.n})) || !call.range("m", shape.m, 0, kMaxInt32) ||
      !call.range("n", shape.n, 0, kMaxInt32) || !call.range("k", shape.k, 0, kMaxInt32) ||
      !call.distinct(c, {a, b, bias}))
    return call.status();
  if (params->accumulate && (bias.present || params->activation != TS_ACTIVATION_NONE))
    return call.fail("params.accumulate is 1, which goes with no bias and no activation"), call.status();
  if (params->sequential && (params->transpose_a || params->accumulate))
    return call.fail("params.sequential is 1, which goes with transpose_a = 0 and accumulate = 0"), call.status();
  if (c.count == 0) return TS_OK;
  return call.backend()->matmul(call.impl(), &shape, a.data<const float>(), b.data<const float>(),
                                bias.data<const float>(), c.data<float>());
}
