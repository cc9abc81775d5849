// Arguments of fills, elementwise ops, reductions, losses and the optimiser.
#include <cmath>
#include <limits>
#include <new>
#include <vector>

#include "core/checks.h"

using namespace tessera;

namespace {

constexpr double kAny = std::numeric_limits<double>::max();

}  // namespace

ts_status ts_fill(ts_stream *stream, const ts_tensor *y_, double value) {
  TS_STREAM_CALL(call, stream);
  View y;
  if (!call.tensor_any("y", y_, &y)) return call.status();
  // Integers hold what a double can name of them exactly; a float may be filled with a NaN or an infinity on purpose.
  switch (y_->dtype) {
    case TS_F32:
    case TS_F64:
      break;
    case TS_I32:
      if (!call.finite("value", std::trunc(value), -0x1p31, 0x1p31 - 1)) return call.status();
      break;
    case TS_I64:
      if (!call.finite("value", std::trunc(value), -0x1p63, 0x1p63 - 1024)) return call.status();
      break;
    case TS_U8:
      if (!call.finite("value", std::trunc(value), 0, 255)) return call.status();
      break;
    default:
      return call.fail("y is bf16 or f16, which no op takes yet"), call.status();
  }
  if (y.count == 0) return TS_OK;
  return call.backend()->fill(call.impl(), y.data<void>(), y_->dtype, y.count, value);
}

ts_status ts_random_uniform(ts_stream *stream, const ts_random_params *params, const ts_tensor *y_) {
  TS_STREAM_CALL(call, stream);
  View y;
  if (!call.not_null("params", params) || !call.struct_size("params", params->struct_size, sizeof *params) ||
      !call.finite("params.low", params->low, -std::numeric_limits<float>::max(), std::numeric_limits<float>::max()) ||
      !call.finite("params.high", params->high, params->low, std::numeric_limits<float>::max()) ||
      !call.finite("params.high - params.low", static_cast<double>(params->high) - static_cast<double>(params->low), 0,
                   std::numeric_limits<float>::max()) ||
      !call.tensor("y", y_, TS_F32, &y) ||
      !call.range("the number of elements of y", y.count, 0, (int64_t{1} << 34) - 1))
    return call.status();
  if (y.count == 0) return TS_OK;
  return call.backend()->random_uniform(call.impl(), params, y.data<float>(), y.count);
}

ts_status ts_unary(ts_stream *stream, int32_t op, const ts_tensor *x_, const ts_tensor *y_) {
  TS_STREAM_CALL(call, stream);
  View x, y;
  if (!call.range("op", op, TS_RELU, TS_GELU) || !call.tensor("x", x_, TS_F32, &x) ||
      !call.tensor("y", y_, TS_F32, &y) || !call.same_shape(y, x) || !call.in_place_or_distinct(y, x))
    return call.status();
  if (y.count == 0) return TS_OK;
  return call.backend()->unary(call.impl(), op, x.data<const float>(), y.data<float>(), y.count);
}

ts_status ts_unary_backward(ts_stream *stream, int32_t op, const ts_tensor *x_, const ts_tensor *y_,
                            const ts_tensor *dy_, const ts_tensor *dx_) {
  TS_STREAM_CALL(call, stream);
  View x, y, dy, dx;
  if (!call.range("op", op, TS_RELU, TS_GELU)) return call.status();
  bool reads_y = op == TS_RELU || op == TS_SIGMOID || op == TS_TANH || op == TS_EXP || op == TS_SQRT;
  if (!call.not_null(reads_y ? "y" : "x", reads_y ? y_ : x_) || !call.optional("x", x_, TS_F32, &x) ||
      !call.optional("y", y_, TS_F32, &y) || !call.tensor("dy", dy_, TS_F32, &dy) ||
      !call.tensor("dx", dx_, TS_F32, &dx) || !call.same_shape(dx, dy) || (x.present && !call.same_shape(x, dy)) ||
      (y.present && !call.same_shape(y, dy)) || !call.distinct(dx, {x, y}) || !call.in_place_or_distinct(dx, dy))
    return call.status();
  if (dx.count == 0) return TS_OK;
  return call.backend()->unary_backward(call.impl(), op, x.data<const float>(), y.data<const float>(),
                                        dy.data<const float>(), dx.data<float>(), dx.count);
}

ts_status ts_binary(ts_stream *stream, int32_t op, const ts_tensor *a_, const ts_tensor *b_, const ts_tensor *y_) {
  TS_STREAM_CALL(call, stream);
  View a, b, y;
  if (!call.range("op", op, TS_ADD, TS_MIN) || !call.tensor("a", a_, TS_F32, &a) || !call.tensor("b", b_, TS_F32, &b) ||
      !call.same_shape(b, a) || !call.tensor("y", y_, TS_F32, &y) || !call.same_shape(y, a) ||
      !call.in_place_or_distinct(y, a) || !call.in_place_or_distinct(y, b))
    return call.status();
  if (y.count == 0) return TS_OK;
  return call.backend()->binary(call.impl(), op, a.data<const float>(), b.data<const float>(), y.data<float>(),
                                y.count);
}

ts_status ts_axpby(ts_stream *stream, double alpha, const ts_tensor *x_, double beta, const ts_tensor *y_) {
  TS_STREAM_CALL(call, stream);
  View x, y;
  if (!call.finite("alpha", alpha, -kAny, kAny) || !call.finite("beta", beta, -kAny, kAny) ||
      !call.tensor("x", x_, TS_F32, &x) || !call.tensor("y", y_, TS_F32, &y) || !call.same_shape(y, x) ||
      !call.distinct(y, {x}))
    return call.status();
  if (y.count == 0) return TS_OK;
  return call.backend()->axpby(call.impl(), static_cast<float>(alpha), x.data<const float>(), static_cast<float>(beta),
                               y.data<float>(), y.count);
}

ts_status ts_bias(ts_stream *stream, int32_t activation, const ts_tensor *x_, const ts_tensor *bias_,
                  const ts_tensor *y_) {
  TS_STREAM_CALL(call, stream);
  View x, bias, y;
  if (!call.range("activation", activation, TS_ACTIVATION_NONE, TS_ACTIVATION_RELU) ||
      !call.tensor("x", x_, TS_F32, &x) || !call.tensor("bias", bias_, TS_F32, &bias) || !call.rank(bias, 1) ||
      !call.tensor("y", y_, TS_F32, &y) || !call.same_shape(y, x))
    return call.status();
  if (x.rank() < 1) return call.fail("x is a scalar but must have the channels as its last dimension"), call.status();
  if (!call.shape(bias, {x.last()}) || !call.in_place_or_distinct(y, x) || !call.distinct(y, {bias}))
    return call.status();
  if (y.count == 0) return TS_OK;
  return call.backend()->bias(call.impl(), activation, x.data<const float>(), bias.data<const float>(), y.data<float>(),
                              y.count / x.last(), x.last());
}

ts_status ts_dropout(ts_stream *stream, const ts_dropout_params *params, const ts_tensor *x_,
                     const ts_tensor *residual_, const ts_tensor *y_) {
  TS_STREAM_CALL(call, stream);
  View x, residual, y;
  if (!call.not_null("params", params) || !call.struct_size("params", params->struct_size, sizeof *params) ||
      !call.finite("params.probability", params->probability, 0, std::nextafter(1.0, 0.0)) ||
      !call.tensor("x", x_, TS_F32, &x) || !call.optional("residual", residual_, TS_F32, &residual) ||
      (residual.present && !call.same_shape(residual, x)) || !call.tensor("y", y_, TS_F32, &y) ||
      !call.same_shape(y, x) || !call.range("the number of elements of y", y.count, 0, (int64_t{1} << 34) - 1) ||
      !call.in_place_or_distinct(y, x) || !call.in_place_or_distinct(y, residual))
    return call.status();
  if (y.count == 0) return TS_OK;
  return call.backend()->dropout(call.impl(), params, x.data<const float>(), residual.data<const float>(),
                                 y.data<float>(), y.count);
}

ts_status ts_sum(ts_stream *stream, const ts_tensor *x_, const ts_tensor *sum_) {
  TS_STREAM_CALL(call, stream);
  View x, sum;
  if (!call.tensor("x", x_, TS_F32, &x) || !call.tensor("sum", sum_, TS_F64, &sum) || !call.count(sum, 1) ||
      !call.distinct(sum, {x}))
    return call.status();
  return call.backend()->sum(call.impl(), x.data<const float>(), x.count, sum.data<double>());
}

ts_status ts_loss(ts_stream *stream, int32_t kind, double grad_scale, const ts_tensor *prediction_,
                  const ts_tensor *target_, const ts_tensor *loss_, const ts_tensor *grad_) {
  TS_STREAM_CALL(call, stream);
  View prediction, target, loss, grad;
  if (!call.range("kind", kind, TS_LOSS_MSE, TS_LOSS_BCE_WITH_LOGITS) ||
      !call.finite("grad_scale", grad_scale, -kAny, kAny) ||
      !call.tensor("prediction", prediction_, TS_F32, &prediction) ||
      !call.tensor("target", target_, TS_F32, &target) || !call.same_shape(target, prediction) ||
      !call.tensor("loss", loss_, TS_F64, &loss) || !call.count(loss, 1) ||
      !call.optional("grad", grad_, TS_F32, &grad) || (grad.present && !call.same_shape(grad, prediction)) ||
      !call.distinct(loss, {prediction, target, grad}) || !call.distinct(grad, {target}) ||
      !call.in_place_or_distinct(grad, prediction))
    return call.status();
  if (prediction.count == 0)
    return call.fail("prediction is empty, and a mean over nothing is undefined"), call.status();
  return call.backend()->loss(call.impl(), kind, grad_scale, prediction.data<const float>(), target.data<const float>(),
                              prediction.count, loss.data<double>(), grad.data<float>());
}

ts_status ts_adam_step(ts_stream *stream, const ts_adam_params *params, uint32_t count, const ts_tensor *parameters,
                       const ts_tensor *gradients, const ts_tensor *m, const ts_tensor *v) {
  TS_STREAM_CALL(call, stream);
  if (!call.not_null("params", params) || !call.struct_size("params", params->struct_size, sizeof *params) ||
      !call.range("params.epsilon_hat", params->epsilon_hat, 0, 1) ||
      !call.range("params.step", params->step, 1, std::numeric_limits<int64_t>::max()) ||
      !call.finite("params.learning_rate", params->learning_rate, 0, kAny) ||
      !call.finite("params.beta1", params->beta1, 0, std::nextafter(1.0, 0.0)) ||
      !call.finite("params.beta2", params->beta2, 0, std::nextafter(1.0, 0.0)) ||
      !call.finite("params.epsilon", params->epsilon, std::numeric_limits<double>::min(), kAny) ||
      !call.finite("params.weight_decay", params->weight_decay, 0, kAny) || !call.range("count", count, 0, 1 << 20))
    return call.status();
  if (count == 0) return TS_OK;
  if (!call.not_null("parameters", parameters) || !call.not_null("gradients", gradients) || !call.not_null("m", m) ||
      !call.not_null("v", v))
    return call.status();
  // Slots of the first parameters live on the stack: models of this field have some tens of parameters.
  constexpr uint32_t kChunk = 64;
  ts_adam_slot slots[kChunk];
  for (uint32_t i = 0; i < count; i++) {
    View p, g, first, second;
    if (!call.tensor("parameters[i]", parameters + i, TS_F32, &p) ||
        !call.tensor("gradients[i]", gradients + i, TS_F32, &g) || !call.same_shape(g, p) ||
        !call.tensor("m[i]", m + i, TS_F32, &first) || !call.same_shape(first, p) ||
        !call.tensor("v[i]", v + i, TS_F32, &second) || !call.same_shape(second, p) ||
        !call.distinct(p, {g, first, second}) || !call.distinct(first, {g, second}) || !call.distinct(second, {g}))
      return call.status();
  }
  double correction1 = 1.0 - std::pow(params->beta1, static_cast<double>(params->step));
  double correction2 = 1.0 - std::pow(params->beta2, static_cast<double>(params->step));
  // The paper's m^ / (sqrt(v^) + eps), or its section 2's reordering, in which eps is not corrected (Keras).
  bool hat = params->epsilon_hat != 0;
  ts_adam_factors factors{
      .one_minus_beta1 = static_cast<float>(1.0 - params->beta1),
      .one_minus_beta2 = static_cast<float>(1.0 - params->beta2),
      .step_size = static_cast<float>(params->learning_rate * (hat ? std::sqrt(correction2) : 1.0) / correction1),
      .v_scale = static_cast<float>(hat ? 1.0 : 1.0 / std::sqrt(correction2)),
      .epsilon = static_cast<float>(params->epsilon),
      .decay = static_cast<float>(params->learning_rate * params->weight_decay)};
  for (uint32_t begin = 0; begin < count; begin += kChunk) {
    uint32_t n = count - begin < kChunk ? count - begin : kChunk;
    for (uint32_t i = 0; i < n; i++) {
      const ts_tensor &p = parameters[begin + i];
      int64_t size = 1;
      for (int d = 0; d < p.rank; d++) size *= p.dims[d];
      slots[i] = {reinterpret_cast<float *>(p.data), reinterpret_cast<const float *>(gradients[begin + i].data),
                  reinterpret_cast<float *>(m[begin + i].data), reinterpret_cast<float *>(v[begin + i].data), size};
    }
    ts_status status = call.backend()->adam_step(call.impl(), &factors, n, slots);
    if (status != TS_OK) return status;
  }
  return TS_OK;
}

ts_status ts_clip_gradients(ts_stream *stream, double max_norm, uint32_t count, const ts_tensor *gradients,
                            const ts_tensor *norm_) {
  TS_STREAM_CALL(call, stream);
  View norm;
  if (!call.finite("max_norm", max_norm, std::numeric_limits<double>::min(), kAny) ||
      !call.range("count", count, 0, 1 << 20) || !call.tensor("norm", norm_, TS_F64, &norm) || !call.count(norm, 1) ||
      (count > 0 && !call.not_null("gradients", gradients)))
    return call.status();
  std::vector<ts_clip_slot> slots;
  try {
    slots.reserve(count);
  } catch (const std::bad_alloc &) {
    return host_table.fail(call.report(), TS_OUT_OF_MEMORY, "ts_clip_gradients: no memory for %u descriptors", count);
  }
  for (uint32_t i = 0; i < count; i++) {
    View g;
    if (!call.tensor("gradients[i]", gradients + i, TS_F32, &g) || !call.distinct(norm, {g})) return call.status();
    if (g.count > 0) slots.push_back({g.data<float>(), g.count});
  }
  return call.backend()->clip_gradients(call.impl(), max_norm, static_cast<uint32_t>(slots.size()), slots.data(),
                                        norm.data<double>());
}
