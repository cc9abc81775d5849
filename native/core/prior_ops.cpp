// Arguments of the priors' ops: masked convolutions, the gate, the draw of a code.
#include <algorithm>
#include <limits>

#include "core/checks.h"

using namespace tessera;

namespace {

constexpr int64_t kMaxInt32 = std::numeric_limits<int32_t>::max();
constexpr int32_t kMaxKernel = 255;

bool params_ok(Call &call, const ts_masked_conv_params *params) {
  return call.not_null("params", params) && call.struct_size("params", params->struct_size, sizeof *params) &&
         call.range("params.activation", params->activation, TS_ACTIVATION_NONE, TS_ACTIVATION_RELU) &&
         call.range("params.kernel_h", params->kernel_h, 1, kMaxKernel) &&
         call.range("params.kernel_w", params->kernel_w, 1, kMaxKernel) &&
         call.range("params.taps", params->taps, 1, int64_t{params->kernel_h} * params->kernel_w) &&
         call.range("params.pad_top", params->pad_top, 0, kMaxKernel) &&
         call.range("params.pad_left", params->pad_left, 0, kMaxKernel);
}

// Sizes from 1 (a batch: from 0) to 2^31-1.
bool sizes_ok(Call &call, const View &view, int batch_axis) {
  for (int i = 0; i < view.rank(); i++) {
    const int64_t low = i == batch_axis ? 0 : 1;
    if (view.dim(i) < low || view.dim(i) > kMaxInt32)
      return call.fail("%s.dims[%d] is %lld but must be from %lld to %lld", view.name, i,
                       static_cast<long long>(view.dim(i)), static_cast<long long>(low),
                       static_cast<long long>(kMaxInt32));
  }
  return true;
}

// What all masked convolutions share: w [taps,in_c,O] and bias [O].
bool weights_ok(Call &call, const ts_masked_conv_params *params, const View &w, const View &bias,
                ts_masked_conv_shape *shape) {
  if (!call.rank(w, 3) || !sizes_ok(call, w, -1) || !call.shape(w, {params->taps, w.dim(1), w.dim(2)}) ||
      (bias.present && !call.shape(bias, {w.dim(2)})))
    return false;
  *shape = {.batch = 0,
            .height = 0,
            .width = 0,
            .in_c = w.dim(1),
            .out_c = w.dim(2),
            .kernel_h = params->kernel_h,
            .kernel_w = params->kernel_w,
            .taps = params->taps,
            .pad_top = params->pad_top,
            .pad_left = params->pad_left,
            .row = params->row,
            .column = params->column,
            .activation = params->activation};
  return true;
}

// Images side by side, [H,W,B] or [H,W,B,I], and the position in them.
bool position_ok(Call &call, const View &in, const View &y, ts_masked_conv_shape *shape) {
  shape->height = in.dim(0);
  shape->width = in.dim(1);
  shape->batch = in.dim(2);
  return call.range("params.row", shape->row, 0, shape->height - 1) &&
         call.range("params.column", shape->column, 0, shape->width - 1) && call.rank(y, 2) &&
         call.shape(y, {shape->batch, shape->out_c});
}

// N rows of which each has one of M classes.
bool classes_ok(Call &call, const View &classes, int64_t rows, int64_t *class_rows) {
  *class_rows = rows;
  if (!classes.present) return true;
  if (classes.count < 1 || rows % classes.count != 0)
    return call.fail("classes has %lld elements, which must divide the %lld rows",
                     static_cast<long long>(classes.count), static_cast<long long>(rows));
  *class_rows = rows / classes.count;
  return true;
}

// `wide` [...,2F] and `narrow` [...,F], F >= 1.
bool gate_ok(Call &call, const View &wide, const View &narrow, int64_t *rows, int64_t *channels) {
  if (wide.rank() < 1 || wide.last() < 2 || wide.last() % 2 != 0)
    return call.fail("%s must have an even last dimension of at least 2 but has %lld", wide.name,
                     static_cast<long long>(wide.rank() < 1 ? 0 : wide.last()));
  bool fits = narrow.rank() == wide.rank() && narrow.last() == wide.last() / 2;
  for (int i = 0; fits && i + 1 < wide.rank(); i++) fits = narrow.dim(i) == wide.dim(i);
  if (!fits)
    return call.fail("%s must have the shape of %s with half of its last dimension, %lld", narrow.name, wide.name,
                     static_cast<long long>(wide.last() / 2));
  *channels = narrow.last();
  *rows = narrow.count / *channels;
  return true;
}

}  // namespace

ts_status ts_code_conv2d_forward(ts_stream *stream, const ts_masked_conv_params *params, const ts_tensor *codes_,
                                 const ts_tensor *w_, const ts_tensor *bias_, const ts_tensor *y_) {
  TS_STREAM_CALL(call, stream);
  View codes, w, bias, y;
  ts_masked_conv_shape shape;
  if (!params_ok(call, params) || !call.tensor("codes", codes_, TS_I32, &codes) || !call.rank(codes, 3) ||
      !sizes_ok(call, codes, 0) || !call.tensor("w", w_, TS_F32, &w) || !call.optional("bias", bias_, TS_F32, &bias) ||
      !weights_ok(call, params, w, bias, &shape) || !call.tensor("y", y_, TS_F32, &y) ||
      !call.shape(y, {codes.dim(0), codes.dim(1), codes.dim(2), w.dim(2)}) || !call.distinct(y, {codes, w, bias}))
    return call.status();
  shape.batch = codes.dim(0), shape.height = codes.dim(1), shape.width = codes.dim(2);
  return call.backend()->code_conv2d_forward(call.impl(), &shape, codes.data<const int32_t>(), w.data<const float>(),
                                             bias.data<const float>(), y.data<float>());
}

ts_status ts_code_conv2d_backward_weights(ts_stream *stream, const ts_masked_conv_params *params,
                                          const ts_tensor *codes_, const ts_tensor *dy_, const ts_tensor *dw_,
                                          const ts_tensor *dbias_) {
  TS_STREAM_CALL(call, stream);
  View codes, dy, dw, dbias;
  ts_masked_conv_shape shape;
  if (!params_ok(call, params) || !call.tensor("codes", codes_, TS_I32, &codes) || !call.rank(codes, 3) ||
      !sizes_ok(call, codes, 0) || !call.tensor("dy", dy_, TS_F32, &dy) || !call.tensor("dw", dw_, TS_F32, &dw) ||
      !call.optional("dbias", dbias_, TS_F32, &dbias) || !weights_ok(call, params, dw, dbias, &shape) ||
      !call.rank(dy, 4) || !call.shape(dy, {codes.dim(0), codes.dim(1), codes.dim(2), dw.dim(2)}) ||
      !call.distinct(dw, {codes, dy, dbias}) || !call.distinct(dbias, {codes, dy}))
    return call.status();
  shape.batch = codes.dim(0), shape.height = codes.dim(1), shape.width = codes.dim(2);
  return call.backend()->code_conv2d_backward_weights(call.impl(), &shape, codes.data<const int32_t>(),
                                                      dy.data<const float>(), dw.data<float>(), dbias.data<float>());
}

ts_status ts_code_conv2d_at(ts_stream *stream, const ts_masked_conv_params *params, const ts_tensor *codes_,
                            const ts_tensor *w_, const ts_tensor *bias_, const ts_tensor *y_) {
  TS_STREAM_CALL(call, stream);
  View codes, w, bias, y;
  ts_masked_conv_shape shape;
  if (!params_ok(call, params) || !call.tensor("codes", codes_, TS_I32, &codes) || !call.rank(codes, 3) ||
      !sizes_ok(call, codes, 2) || !call.tensor("w", w_, TS_F32, &w) || !call.optional("bias", bias_, TS_F32, &bias) ||
      !weights_ok(call, params, w, bias, &shape) || !call.tensor("y", y_, TS_F32, &y) ||
      !position_ok(call, codes, y, &shape) || !call.distinct(y, {codes, w, bias}))
    return call.status();
  return call.backend()->code_conv2d_at(call.impl(), &shape, codes.data<const int32_t>(), w.data<const float>(),
                                        bias.data<const float>(), y.data<float>());
}

ts_status ts_conv2d_at(ts_stream *stream, const ts_masked_conv_params *params, const ts_tensor *x_, const ts_tensor *w_,
                       const ts_tensor *bias_, const ts_tensor *y_) {
  TS_STREAM_CALL(call, stream);
  View x, w, bias, y;
  ts_masked_conv_shape shape;
  if (!params_ok(call, params) || !call.tensor("x", x_, TS_F32, &x) || !call.rank(x, 4) || !sizes_ok(call, x, 2) ||
      !call.tensor("w", w_, TS_F32, &w) || !call.optional("bias", bias_, TS_F32, &bias) ||
      !weights_ok(call, params, w, bias, &shape) || !call.shape(x, {x.dim(0), x.dim(1), x.dim(2), w.dim(1)}) ||
      !call.tensor("y", y_, TS_F32, &y) || !position_ok(call, x, y, &shape) || !call.distinct(y, {x, w, bias}))
    return call.status();
  return call.backend()->conv2d_at(call.impl(), &shape, x.data<const float>(), w.data<const float>(),
                                   bias.data<const float>(), y.data<float>());
}

ts_status ts_gate_forward(ts_stream *stream, const ts_tensor *x_, const ts_tensor *class_bias_,
                          const ts_tensor *classes_, const ts_tensor *gates_, const ts_tensor *y_) {
  TS_STREAM_CALL(call, stream);
  View x, class_bias, classes, gates, y;
  int64_t rows = 0, channels = 0, class_rows = 0;
  if (!call.tensor("x", x_, TS_F32, &x) || !call.optional("class_bias", class_bias_, TS_F32, &class_bias) ||
      !call.optional("classes", classes_, TS_I32, &classes) || !call.tensor("gates", gates_, TS_F32, &gates) ||
      !call.tensor("y", y_, TS_F32, &y) || !gate_ok(call, x, y, &rows, &channels) || !call.same_shape(gates, x))
    return call.status();
  if (class_bias.present != classes.present)
    return call.fail("class_bias and classes must both be given or both be NULL"), call.status();
  if ((class_bias.present &&
       (!call.rank(class_bias, 2) || !call.shape(class_bias, {class_bias.dim(0), 2 * channels}))) ||
      (rows > 0 && !classes_ok(call, classes, rows, &class_rows)) || !call.in_place_or_distinct(gates, x) ||
      !call.distinct(gates, {class_bias, classes, y}) || !call.distinct(y, {x, class_bias, classes}))
    return call.status();
  if (rows == 0) return TS_OK;
  return call.backend()->gate_forward(call.impl(), x.data<const float>(), class_bias.data<const float>(),
                                      classes.data<const int32_t>(), class_bias.present ? class_bias.dim(0) : 0,
                                      class_rows, rows, channels, gates.data<float>(), y.data<float>());
}

ts_status ts_gate_backward(ts_stream *stream, const ts_tensor *gates_, const ts_tensor *dy_, const ts_tensor *classes_,
                           const ts_tensor *dx_, const ts_tensor *dclass_bias_) {
  TS_STREAM_CALL(call, stream);
  View gates, dy, classes, dx, dclass_bias;
  int64_t rows = 0, channels = 0, class_rows = 1;
  if (!call.tensor("gates", gates_, TS_F32, &gates) || !call.tensor("dy", dy_, TS_F32, &dy) ||
      !call.optional("classes", classes_, TS_I32, &classes) || !call.tensor("dx", dx_, TS_F32, &dx) ||
      !call.optional("dclass_bias", dclass_bias_, TS_F32, &dclass_bias) ||
      !gate_ok(call, gates, dy, &rows, &channels) || !call.same_shape(dx, gates))
    return call.status();
  if (dclass_bias.present != classes.present)
    return call.fail("dclass_bias and classes must both be given or both be NULL"), call.status();
  if ((dclass_bias.present &&
       (!call.rank(dclass_bias, 2) || !call.shape(dclass_bias, {dclass_bias.dim(0), 2 * channels}))) ||
      (rows > 0 && !classes_ok(call, classes, rows, &class_rows)) || !call.in_place_or_distinct(dx, gates) ||
      !call.distinct(dx, {dy, classes, dclass_bias}) || !call.distinct(dclass_bias, {gates, dy, classes}))
    return call.status();
  if (rows == 0 && !dclass_bias.present) return TS_OK;
  return call.backend()->gate_backward(call.impl(), gates.data<const float>(), dy.data<const float>(),
                                       classes.data<const int32_t>(), dclass_bias.present ? dclass_bias.dim(0) : 0,
                                       class_rows, rows, channels, dx.data<float>(), dclass_bias.data<float>());
}

ts_status ts_sample_codes(ts_stream *stream, const ts_sample_params *params, const ts_tensor *logits_,
                          const ts_tensor *codes_) {
  TS_STREAM_CALL(call, stream);
  View logits, codes;
  if (!call.not_null("params", params) || !call.struct_size("params", params->struct_size, sizeof *params) ||
      !call.finite("params.temperature", params->temperature, 0, std::numeric_limits<double>::max()) ||
      !call.finite("params.top_p", params->top_p, std::numeric_limits<double>::min(), 1) ||
      !call.range("params.top_k", params->top_k, 1, std::numeric_limits<int64_t>::max()) ||
      !call.tensor("logits", logits_, TS_F32, &logits) || !call.rank(logits, 2) || !sizes_ok(call, logits, 0) ||
      !call.tensor("codes", codes_, TS_I32, &codes) || !call.count(codes, logits.dim(0)) ||
      !call.distinct(codes, {logits}))
    return call.status();
  if (logits.dim(0) == 0) return TS_OK;
  ts_sample_params limited = *params;
  limited.top_k = std::min(params->top_k, logits.dim(1));
  return call.backend()->sample_codes(call.impl(), &limited, logits.data<const float>(), logits.dim(0), logits.dim(1),
                                      codes.data<int32_t>());
}

ts_status ts_token_ids(ts_stream *stream, int64_t code_count, int64_t class_count, const ts_tensor *codes_,
                       const ts_tensor *classes_, const ts_tensor *ids_) {
  TS_STREAM_CALL(call, stream);
  View codes, classes, ids;
  if (!call.range("code_count", code_count, 1, kMaxInt32) ||
      !call.range("class_count", class_count, 0, kMaxInt32 - code_count) ||
      !call.tensor("codes", codes_, TS_I32, &codes) || !call.rank(codes, 2) ||
      !call.optional("classes", classes_, TS_I32, &classes) || !call.tensor("ids", ids_, TS_I32, &ids) ||
      !call.same_shape(ids, codes) || (classes.present && !call.count(classes, codes.dim(0))) ||
      !call.distinct(ids, {codes, classes}))
    return call.status();
  if (classes.present != (class_count > 0))
    return call.fail("classes must be %s where class_count is %lld", class_count > 0 ? "given" : "NULL",
                     static_cast<long long>(class_count)),
           call.status();
  if (ids.count == 0) return TS_OK;
  return call.backend()->token_ids(call.impl(), code_count, class_count, codes.data<const int32_t>(),
                                   classes.data<const int32_t>(), codes.dim(0), codes.dim(1), ids.data<int32_t>());
}
