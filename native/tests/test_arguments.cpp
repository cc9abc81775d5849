// Every op refuses every kind of bad argument with a message, and writes nothing: each case below is a valid call,
// whose tensors are then spoilt one at a time in every way.
#include <memory>

#include "argument_cases.h"

using namespace tessera::test;

namespace {

ts_conv2d_params conv_params() {
  ts_conv2d_params p{};
  p.struct_size = sizeof p;
  p.stride_h = p.stride_w = 1;
  p.dilation_h = p.dilation_w = p.groups = 1;
  return p;
}

std::vector<Case> math_cases() {
  static const ts_random_params random{
      .struct_size = sizeof(ts_random_params), .stream = 0, .seed = 0, .step = 0, .low = 0, .high = 1};
  static const ts_adam_params adam{.struct_size = sizeof(ts_adam_params),
                                   .epsilon_hat = 0,
                                   .step = 1,
                                   .learning_rate = 1e-3,
                                   .beta1 = 0.9,
                                   .beta2 = 0.999,
                                   .epsilon = 1e-8,
                                   .weight_decay = 0};
  static const ts_dropout_params drop{sizeof(ts_dropout_params), 0, 0, 0, 0.5};
  const std::vector<int64_t> s = {3, 5};
  return {
      {"ts_fill",
       {{.name = "y", .dims = s, .output = true, .free_shape = true}},
       [](ts_stream *st, const Arguments &t) {
         // ts_fill takes every dtype, so "another dtype" is made one that it does not take.
         if (!t[0] || t[0]->dtype != TS_I64) return ts_fill(st, t[0], 0);
         ts_tensor reserved = *t[0];
         reserved.dtype = TS_F16;
         return ts_fill(st, &reserved, 0);
       }},
      {"ts_random_uniform",
       {{.name = "y", .dims = s, .output = true, .free_shape = true}},
       [](ts_stream *st, const Arguments &t) { return ts_random_uniform(st, &random, t[0]); }},
      {"ts_unary",
       {{"x", s}, {.name = "y", .dims = s, .output = true, .may_alias = {0}}},
       [](ts_stream *st, const Arguments &t) { return ts_unary(st, TS_RELU, t[0], t[1]); }},
      {"ts_unary_backward",
       {{.name = "x", .dims = s, .optional = true},
        {"y", s},
        {"dy", s},
        {.name = "dx", .dims = s, .output = true, .may_alias = {2}}},
       [](ts_stream *st, const Arguments &t) { return ts_unary_backward(st, TS_RELU, t[0], t[1], t[2], t[3]); }},
      {"ts_binary",
       {{"a", s}, {"b", s}, {.name = "y", .dims = s, .output = true, .may_alias = {0, 1}}},
       [](ts_stream *st, const Arguments &t) { return ts_binary(st, TS_ADD, t[0], t[1], t[2]); }},
      {"ts_axpby",
       {{"x", s}, {.name = "y", .dims = s, .output = true}},
       [](ts_stream *st, const Arguments &t) { return ts_axpby(st, 1, t[0], 0, t[1]); }},
      {"ts_bias",
       {{"x", s}, {"bias", {5}}, {.name = "y", .dims = s, .output = true, .may_alias = {0}}},
       [](ts_stream *st, const Arguments &t) { return ts_bias(st, TS_ACTIVATION_NONE, t[0], t[1], t[2]); }},
      {"ts_sum",
       {{.name = "x", .dims = s, .free_shape = true}, {.name = "sum", .dims = {1}, .dtype = TS_F64, .output = true}},
       [](ts_stream *st, const Arguments &t) { return ts_sum(st, t[0], t[1]); }},
      {"ts_loss",
       {{"prediction", s},
        {"target", s},
        {.name = "loss", .dims = {1}, .dtype = TS_F64, .output = true},
        {.name = "grad", .dims = s, .optional = true, .output = true, .may_alias = {0}}},
       [](ts_stream *st, const Arguments &t) { return ts_loss(st, TS_LOSS_MSE, 1, t[0], t[1], t[2], t[3]); }},
      {"ts_softmax_cross_entropy",
       {{"logits", s},
        {.name = "targets", .dims = {s[0]}, .dtype = TS_I32},
        {.name = "loss", .dims = {1}, .dtype = TS_F64, .output = true},
        {.name = "losses", .dims = {s[0]}, .optional = true, .output = true},
        {.name = "grad", .dims = s, .optional = true, .output = true, .may_alias = {0}}},
       [](ts_stream *st, const Arguments &t) { return ts_softmax_cross_entropy(st, 1, t[0], t[1], t[2], t[3], t[4]); }},
      {"ts_layer_norm_forward",
       {{"x", s},
        {"gamma", {s[1]}},
        {"beta", {s[1]}},
        {.name = "y", .dims = s, .output = true, .may_alias = {0}},
        {.name = "mean", .dims = {s[0]}, .output = true},
        {.name = "rstd", .dims = {s[0]}, .output = true}},
       [](ts_stream *st, const Arguments &t) {
         return ts_layer_norm_forward(st, 1e-5, t[0], t[1], t[2], t[3], t[4], t[5]);
       }},
      {"ts_layer_norm_backward",
       {{"x", s},
        {"gamma", {s[1]}},
        {"mean", {s[0]}},
        {"rstd", {s[0]}},
        {"dy", s},
        {.name = "dx", .dims = s, .output = true, .may_alias = {4}},
        {.name = "dgamma", .dims = {s[1]}, .output = true},
        {.name = "dbeta", .dims = {s[1]}, .output = true}},
       [](ts_stream *st, const Arguments &t) {
         return ts_layer_norm_backward(st, t[0], t[1], t[2], t[3], t[4], t[5], t[6], t[7]);
       }},
      {"ts_embedding",
       {{.name = "table", .dims = {4, 5}, .free_dim = 0},
        {.name = "codes", .dims = {3}, .dtype = TS_I32},
        {.name = "out", .dims = s, .output = true}},
       [](ts_stream *st, const Arguments &t) { return ts_embedding(st, t[0], t[1], t[2]); }},
      {"ts_attention_forward",
       {{"qkv", {2, 3, 12}},
        {.name = "y", .dims = {2, 3, 4}, .output = true},
        {.name = "lse", .dims = {2, 2, 3}, .output = true}},
       [](ts_stream *st, const Arguments &t) { return ts_attention_forward(st, 2, t[0], t[1], t[2]); }},
      {"ts_attention_backward",
       {{"qkv", {2, 3, 12}},
        {"y", {2, 3, 4}},
        {"lse", {2, 2, 3}},
        {"dy", {2, 3, 4}},
        {.name = "dqkv", .dims = {2, 3, 12}, .output = true}},
       [](ts_stream *st, const Arguments &t) { return ts_attention_backward(st, 2, t[0], t[1], t[2], t[3], t[4]); }},
      {"ts_attention_step",
       {{"qkv", {2, 12}},
        {.name = "cache", .dims = {2, 6, 8}, .output = true, .free_dim = 1},
        {.name = "y", .dims = {2, 4}, .output = true}},
       [](ts_stream *st, const Arguments &t) { return ts_attention_step(st, 2, 1, t[0], t[1], t[2]); }},
      {"ts_dropout",
       {{"x", s},
        {.name = "residual", .dims = s, .optional = true},
        {.name = "y", .dims = s, .output = true, .may_alias = {0, 1}}},
       [](ts_stream *st, const Arguments &t) { return ts_dropout(st, &drop, t[0], t[1], t[2]); }},
      {"ts_clip_gradients",
       {{.name = "gradients", .dims = s, .output = true, .free_shape = true},
        {.name = "norm", .dims = {1}, .dtype = TS_F64, .output = true}},
       [](ts_stream *st, const Arguments &t) { return ts_clip_gradients(st, 1, 1, t[0], t[1]); }},
      {"ts_adam_step",
       {{.name = "parameters", .dims = s, .output = true},
        {"gradients", s},
        {.name = "m", .dims = s, .output = true},
        {.name = "v", .dims = s, .output = true}},
       [](ts_stream *st, const Arguments &t) { return ts_adam_step(st, &adam, 1, t[0], t[1], t[2], t[3]); }},
  };
}

std::vector<Case> layer_cases() {
  static const ts_conv2d_params conv = conv_params();
  static const ts_matmul_params mm{sizeof(ts_matmul_params), 1, 0, 0, TS_ACTIVATION_NONE, 0};
  const std::vector<int64_t> x = {2, 8, 6, 3}, y = {2, 6, 4, 5}, w = {5, 3, 3, 3};
  return {
      {"ts_conv2d_forward",
       {{"x", x}, {"w", w}, {.name = "bias", .dims = {5}, .optional = true}, {.name = "y", .dims = y, .output = true}},
       [](ts_stream *s, const Arguments &t) { return ts_conv2d_forward(s, &conv, t[0], t[1], t[2], t[3]); }},
      {"ts_conv2d_backward_data",
       {{"dy", y}, {"w", w}, {.name = "dx", .dims = x, .output = true}},
       [](ts_stream *s, const Arguments &t) { return ts_conv2d_backward_data(s, &conv, t[0], t[1], t[2]); }},
      {"ts_conv2d_backward_weights",
       {{"x", x},
        {"dy", y},
        {.name = "dw", .dims = w, .output = true},
        {.name = "dbias", .dims = {5}, .optional = true, .output = true}},
       [](ts_stream *s, const Arguments &t) { return ts_conv2d_backward_weights(s, &conv, t[0], t[1], t[2], t[3]); }},
      {"ts_conv_transpose2d_forward",
       {{"x", y}, {"w", w}, {.name = "bias", .dims = {3}, .optional = true}, {.name = "y", .dims = x, .output = true}},
       [](ts_stream *s, const Arguments &t) { return ts_conv_transpose2d_forward(s, &conv, t[0], t[1], t[2], t[3]); }},
      {"ts_conv_transpose2d_backward_data",
       {{"dy", x}, {"w", w}, {.name = "dx", .dims = y, .output = true}},
       [](ts_stream *s, const Arguments &t) { return ts_conv_transpose2d_backward_data(s, &conv, t[0], t[1], t[2]); }},
      {"ts_conv_transpose2d_backward_weights",
       {{"x", y},
        {"dy", x},
        {.name = "dw", .dims = w, .output = true},
        {.name = "dbias", .dims = {3}, .optional = true, .output = true}},
       [](ts_stream *s, const Arguments &t) {
         return ts_conv_transpose2d_backward_weights(s, &conv, t[0], t[1], t[2], t[3]);
       }},
      {"ts_matmul",
       {{"a", {4, 3}},
        {"b", {4, 6}},
        {.name = "bias", .dims = {6}, .optional = true},
        {.name = "c", .dims = {3, 6}, .output = true}},
       [](ts_stream *s, const Arguments &t) { return ts_matmul(s, &mm, t[0], t[1], t[2], t[3]); }},
  };
}

std::vector<Case> vq_cases(ts_codebook *book) {
  static const ts_vq_ema_params ema{sizeof(ts_vq_ema_params), 0, 1, 0.99, 1e-5};
  static const ts_vq_restart_params restart{sizeof(ts_vq_restart_params), 0, 1, 1, 0.99, 0.5};
  const std::vector<int64_t> x = {6, 5, 4}, codes = {6, 5}, k = {7}, kd = {7, 4};
  Argument codes_out{.name = "codes", .dims = codes, .dtype = TS_I32, .output = true};
  Argument counts_in{.name = "counts", .dims = k, .dtype = TS_I32};
  return {
      {"ts_codebook_update",
       {{"codes", kd}},
       [book](ts_stream *s, const Arguments &t) { return ts_codebook_update(s, book, t[0]); }},
      {"ts_codebook_read",
       {{.name = "codes", .dims = kd, .output = true}},
       [book](ts_stream *s, const Arguments &t) { return ts_codebook_read(s, book, t[0]); }},
      {"ts_vq_assign",
       {{"x", x}, codes_out},
       [book](ts_stream *s, const Arguments &t) { return ts_vq_assign(s, book, t[0], t[1]); }},
      {"ts_vq_gather",
       {{.name = "codes", .dims = codes, .dtype = TS_I32}, {.name = "out", .dims = x, .output = true}},
       [book](ts_stream *s, const Arguments &t) { return ts_vq_gather(s, book, t[0], t[1]); }},
      {"ts_vq_quantize",
       {{"x", x},
        codes_out,
        {.name = "quantized", .dims = x, .optional = true, .output = true},
        {.name = "squared_error", .dims = {1}, .dtype = TS_F64, .optional = true, .output = true},
        {.name = "counts", .dims = k, .dtype = TS_I32, .output = true},
        {.name = "sums", .dims = kd, .output = true}},
       [book](ts_stream *s, const Arguments &t) {
         return ts_vq_quantize(s, book, t[0], t[1], t[2], t[3], t[4], t[5]);
       }},
      {"ts_vq_scatter",
       {{"x", x},
        {.name = "codes", .dims = codes, .dtype = TS_I32},
        {.name = "counts", .dims = k, .dtype = TS_I32, .output = true},
        {.name = "sums", .dims = kd, .output = true}},
       [](ts_stream *s, const Arguments &t) { return ts_vq_scatter(s, t[0], t[1], t[2], t[3]); }},
      {"ts_vq_ema_update",
       {counts_in,
        {"sums", kd},
        {.name = "hidden_counts", .dims = k, .output = true},
        {.name = "hidden_sums", .dims = kd, .output = true}},
       [book](ts_stream *s, const Arguments &t) { return ts_vq_ema_update(s, book, &ema, t[0], t[1], t[2], t[3]); }},
      {"ts_vq_restart",
       {{.name = "x", .dims = x, .free_shape = true},
        {.name = "hidden_counts", .dims = k, .output = true},
        {.name = "hidden_sums", .dims = kd, .output = true},
        {.name = "restarted", .dims = {1}, .dtype = TS_I32, .output = true}},
       [book](ts_stream *s, const Arguments &t) { return ts_vq_restart(s, book, &restart, t[0], t[1], t[2], t[3]); }},
      {"ts_vq_backward",
       {{"x", x},
        {"quantized", x},
        {.name = "grad_quantized", .dims = x, .optional = true},
        {.name = "grad_x", .dims = x, .output = true, .may_alias = {2}}},
       [](ts_stream *s, const Arguments &t) { return ts_vq_backward(s, 0.25, t[0], t[1], t[2], t[3]); }},
      {"ts_vq_codebook_grad",
       {counts_in, {"sums", kd}, {.name = "grad", .dims = kd, .output = true}},
       [book](ts_stream *s, const Arguments &t) { return ts_vq_codebook_grad(s, book, 1, t[0], t[1], t[2]); }},
  };
}

void tensors(Device &d) {
  std::vector<float> codes(28);
  for (size_t i = 0; i < codes.size(); i++) codes[i] = static_cast<float>(i % 5) - 2.0f;
  ts_codebook *book = nullptr;
  {
    Tensor<float> initial(d, {7, 4}, codes);
    OK(d, ts_codebook_open(d.stream, initial, &book));
  }
  for (const std::vector<Case> &cases : {math_cases(), layer_cases(), vq_cases(book)})
    for (const Case &c : cases) Runner(d, c).run();
  ts_codebook_close(book, nullptr);
}

// Parameters that are not tensors.
void parameters(Device &d) {
  Tensor<float> x(d, {1, 8, 8, 4}, std::vector<float>(256)), w(d, {6, 3, 3, 4}, std::vector<float>(216));
  Tensor<float> y(d, {1, 6, 6, 6});
  auto conv = [&](auto change) {
    ts_conv2d_params p = conv_params();
    change(p);
    return ts_conv2d_forward(d.stream, &p, x, w, nullptr, y);
  };
  CHECK(conv([](ts_conv2d_params &) {}) == TS_OK);
  CHECK(ts_conv2d_forward(d.stream, nullptr, x, w, nullptr, y) == TS_INVALID_ARGUMENT);
  CHECK(conv([](auto &p) { p.struct_size = 8; }) == TS_INVALID_ARGUMENT);
  CHECK(conv([](auto &p) { p.activation = 2; }) == TS_INVALID_ARGUMENT);
  CHECK(conv([](auto &p) { p.stride_h = 0; }) == TS_INVALID_ARGUMENT);
  CHECK(conv([](auto &p) { p.stride_w = -1; }) == TS_INVALID_ARGUMENT);
  CHECK(conv([](auto &p) { p.dilation_h = 0; }) == TS_INVALID_ARGUMENT);
  CHECK(conv([](auto &p) { p.dilation_w = INT32_MAX; }) == TS_INVALID_ARGUMENT);
  CHECK(conv([](auto &p) { p.pad_top = -1; }) == TS_INVALID_ARGUMENT);
  CHECK(conv([](auto &p) { p.pad_right = INT32_MAX; }) == TS_INVALID_ARGUMENT);
  CHECK(conv([](auto &p) { p.groups = 0; }) == TS_INVALID_ARGUMENT);
  CHECK(conv([](auto &p) { p.groups = 3; }) == TS_INVALID_ARGUMENT);
  CHECK(conv([](auto &p) { p.groups = 2; }) == TS_INVALID_ARGUMENT);
  Tensor<float> small(d, {1, 2, 8, 4}, std::vector<float>(64)), none(d, {1, 1, 6, 6});
  ts_conv2d_params p{};
  p.struct_size = sizeof p;
  p.stride_h = p.stride_w = p.dilation_h = p.dilation_w = p.groups = 1;
  CHECK(ts_conv2d_forward(d.stream, &p, small, w, nullptr, none) == TS_INVALID_ARGUMENT);
  CHECK_MSG(d.message().find("reaches over 3 pixels") != std::string::npos, "%s", d.message().c_str());

  Tensor<float> a(d, {2, 3}, std::vector<float>(6)), b(d, {3, 2}, std::vector<float>(6)), bias(d, {2}), c(d, {2, 2});
  ts_matmul_params mm{sizeof mm, 0, 0, 1, 0, 0};
  CHECK(ts_matmul(d.stream, &mm, a, b, bias, c) == TS_INVALID_ARGUMENT);
  mm = {sizeof mm, 2, 0, 0, 0, 0};
  CHECK(ts_matmul(d.stream, &mm, a, b, nullptr, c) == TS_INVALID_ARGUMENT);
  mm = {sizeof mm, 0, 1, 0, 0, 0};
  CHECK(ts_matmul(d.stream, &mm, a, b, nullptr, c) == TS_INVALID_ARGUMENT);

  CHECK(ts_unary(d.stream, -1, a, a) == TS_INVALID_ARGUMENT && ts_unary(d.stream, 10, a, a) == TS_INVALID_ARGUMENT);
  CHECK(ts_binary(d.stream, 6, a, a, a) == TS_INVALID_ARGUMENT);
  CHECK(ts_axpby(d.stream, NAN, a, 0, b) == TS_INVALID_ARGUMENT);
  Tensor<double> loss(d, {1});
  Tensor<float> empty(d, {0});
  CHECK(ts_loss(d.stream, 3, 1, a, a, loss, nullptr) == TS_INVALID_ARGUMENT);
  CHECK(ts_loss(d.stream, 0, INFINITY, a, a, loss, nullptr) == TS_INVALID_ARGUMENT);
  CHECK(ts_loss(d.stream, 0, 1, empty, empty, loss, nullptr) == TS_INVALID_ARGUMENT);
  ts_random_params random{sizeof random, 0, 0, 0, 1, 0};
  CHECK(ts_random_uniform(d.stream, &random, a) == TS_INVALID_ARGUMENT);
  random.high = INFINITY;
  CHECK(ts_random_uniform(d.stream, &random, a) == TS_INVALID_ARGUMENT);
  mm = {sizeof mm, 0, 0, 1, 0, 1};
  CHECK(ts_matmul(d.stream, &mm, a, b, nullptr, c) == TS_INVALID_ARGUMENT);
  mm = {sizeof mm, 0, 0, 0, 0, 2};
  CHECK(ts_matmul(d.stream, &mm, a, b, nullptr, c) == TS_INVALID_ARGUMENT);
  Tensor<float> qkv(d, {1, 2, 390}), y130(d, {1, 2, 130}), lse(d, {1, 1, 2}), cache(d, {1, 5, 260}), q1(d, {1, 390}),
      y1(d, {1, 130});
  CHECK(ts_attention_forward(d.stream, 1, qkv, y130, lse) == TS_INVALID_ARGUMENT);
  CHECK_MSG(d.message().find("a head") != std::string::npos, "%s", d.message().c_str());
  for (int32_t heads : {0, -1, 3}) CHECK(ts_attention_forward(d.stream, heads, qkv, y130, lse) == TS_INVALID_ARGUMENT);
  for (int64_t t : {-1, 5}) CHECK(ts_attention_step(d.stream, 2, t, q1, cache, y1) == TS_INVALID_ARGUMENT);
  CHECK(ts_attention_step(d.stream, 1, 0, q1, cache, y1) == TS_INVALID_ARGUMENT);
  ts_adam_params adam{sizeof adam, 0, 0, 1e-3, 0.9, 0.999, 1e-8, 0};
  const ts_tensor *t = a;
  CHECK(ts_adam_step(d.stream, &adam, 1, t, t, t, t) == TS_INVALID_ARGUMENT);
  adam.step = 1;
  adam.beta1 = 1;
  CHECK(ts_adam_step(d.stream, &adam, 1, t, t, t, t) == TS_INVALID_ARGUMENT);
  adam.beta1 = 0.9;
  adam.epsilon = 0;
  CHECK(ts_adam_step(d.stream, &adam, 1, t, t, t, t) == TS_INVALID_ARGUMENT);
  adam.epsilon = 1e-8;
  CHECK(ts_adam_step(d.stream, &adam, 1, t, t, t, t) == TS_INVALID_ARGUMENT);  // overlapping
  CHECK(ts_adam_step(d.stream, &adam, 0, nullptr, nullptr, nullptr, nullptr) == TS_OK);

  ts_codebook *book = nullptr;
  CHECK(ts_codebook_open(d.stream, empty, &book) == TS_INVALID_ARGUMENT && book == nullptr);
  Tensor<float> zero_codes(d, {0, 4}), zero_dim(d, {4, 0}), flat(d, {6}, std::vector<float>(6));
  CHECK(ts_codebook_open(d.stream, zero_codes, &book) == TS_INVALID_ARGUMENT);
  CHECK(ts_codebook_open(d.stream, zero_dim, &book) == TS_INVALID_ARGUMENT);
  CHECK(ts_codebook_open(d.stream, flat, &book) == TS_INVALID_ARGUMENT);
  Tensor<int32_t> codes(d, {2});
  CHECK(ts_vq_assign(d.stream, nullptr, a, codes) == TS_INVALID_ARGUMENT);
  OK(d, ts_codebook_open(d.stream, a, &book));
  ts_device *other_device = nullptr;
  CHECK(ts_device_open(d.name.c_str(), &other_device, nullptr) == TS_OK);
  ts_stream *other = nullptr;
  CHECK(ts_stream_open(other_device, nullptr, &other, nullptr) == TS_OK);
  CHECK(ts_vq_assign(other, book, a, codes) == TS_INVALID_ARGUMENT);
  ts_stream_close(other, nullptr);
  ts_device_close(other_device, nullptr);
  Tensor<int32_t> counts(d, {2}, std::vector<int32_t>(2));
  Tensor<float> sums(d, {2, 3}, std::vector<float>(6)), hc(d, {2}, {0, 0}), hs(d, {2, 3}, std::vector<float>(6));
  for (double decay : {-0.1, 1.0, 1.5, static_cast<double>(NAN)}) {
    ts_vq_ema_params ema{sizeof ema, 0, 1, decay, 1e-5};
    CHECK(ts_vq_ema_update(d.stream, book, &ema, counts, sums, hc, hs) == TS_INVALID_ARGUMENT);
  }
  ts_vq_ema_params ema{sizeof ema, 0, 0, 0.99, 1e-5};
  CHECK(ts_vq_ema_update(d.stream, book, &ema, counts, sums, hc, hs) == TS_INVALID_ARGUMENT);
  CHECK(ts_vq_backward(d.stream, -1, a, a, nullptr, sums) == TS_INVALID_ARGUMENT);
  CHECK(ts_vq_quantize(d.stream, book, a, codes, nullptr, nullptr, counts, nullptr) == TS_INVALID_ARGUMENT);
  ts_vq_stats stats{};
  CHECK(ts_vq_statistics(d.stream, 0, &stats) == TS_INVALID_ARGUMENT);
  double gflops = -1;
  CHECK(ts_measure_fp32_peak(nullptr, 0, &gflops) == TS_INVALID_ARGUMENT);
  CHECK(ts_measure_fp32_peak(d.stream, 0, nullptr) == TS_INVALID_ARGUMENT);
  for (int32_t bits : {-1, 1, 64, 1024}) CHECK(ts_measure_fp32_peak(d.stream, bits, &gflops) == TS_INVALID_ARGUMENT);
  CHECK(gflops == -1);
  ts_codebook_close(book, nullptr);
}

}  // namespace

int main() {
  run("tensors spoilt one at a time", tensors);
  run("parameters", parameters);
  return finish();
}
