// The priors' ops refuse every kind of bad argument with a message, and write nothing.
#include "argument_cases.h"

using namespace tessera::test;

namespace {

ts_masked_conv_params masked() {
  ts_masked_conv_params p{};
  p.struct_size = sizeof p;
  p.kernel_h = 3, p.kernel_w = 3, p.taps = 5, p.pad_top = 1, p.pad_left = 1;
  return p;
}

ts_sample_params sampling() {
  ts_sample_params p{};
  p.struct_size = sizeof p;
  p.temperature = 1, p.top_p = 1, p.top_k = 100;
  return p;
}

std::vector<Case> cases() {
  static const ts_masked_conv_params conv = masked();
  static const ts_sample_params sample = sampling();
  const std::vector<int64_t> codes = {2, 3, 4}, aside = {3, 4, 2}, w = {5, 7, 6}, y = {2, 3, 4, 6}, at = {2, 6};
  return {
      {"ts_code_conv2d_forward",
       {{.name = "codes", .dims = codes, .dtype = TS_I32},
        {.name = "w", .dims = w, .free_shape = true},
        {.name = "bias", .dims = {6}, .optional = true},
        {.name = "y", .dims = y, .output = true}},
       [](ts_stream *s, const Arguments &t) { return ts_code_conv2d_forward(s, &conv, t[0], t[1], t[2], t[3]); }},
      {"ts_code_conv2d_backward_weights",
       {{.name = "codes", .dims = codes, .dtype = TS_I32},
        {"dy", y},
        {.name = "dw", .dims = w, .output = true, .free_shape = true},
        {.name = "dbias", .dims = {6}, .optional = true, .output = true}},
       [](ts_stream *s, const Arguments &t) {
         return ts_code_conv2d_backward_weights(s, &conv, t[0], t[1], t[2], t[3]);
       }},
      {"ts_code_conv2d_at",
       {{.name = "codes", .dims = aside, .dtype = TS_I32, .free_shape = true},
        {.name = "w", .dims = w, .free_shape = true},
        {.name = "bias", .dims = {6}, .optional = true},
        {.name = "y", .dims = at, .output = true}},
       [](ts_stream *s, const Arguments &t) { return ts_code_conv2d_at(s, &conv, t[0], t[1], t[2], t[3]); }},
      {"ts_conv2d_at",
       {{.name = "x", .dims = {3, 4, 2, 7}, .free_shape = true},
        {"w", w},
        {.name = "bias", .dims = {6}, .optional = true},
        {.name = "y", .dims = at, .output = true}},
       [](ts_stream *s, const Arguments &t) { return ts_conv2d_at(s, &conv, t[0], t[1], t[2], t[3]); }},
      {"ts_gate_forward",
       {{"x", {4, 6}},
        {.name = "class_bias", .dims = {5, 6}, .free_shape = true},
        {.name = "classes", .dims = {2}, .dtype = TS_I32},
        {.name = "gates", .dims = {4, 6}, .output = true, .may_alias = {0}},
        {.name = "y", .dims = {4, 3}, .output = true}},
       [](ts_stream *s, const Arguments &t) { return ts_gate_forward(s, t[0], t[1], t[2], t[3], t[4]); }},
      {"ts_gate_backward",
       {{"gates", {4, 6}},
        {"dy", {4, 3}},
        {.name = "classes", .dims = {2}, .dtype = TS_I32},
        {.name = "dx", .dims = {4, 6}, .output = true, .may_alias = {0}},
        {.name = "dclass_bias", .dims = {5, 6}, .output = true, .free_shape = true}},
       [](ts_stream *s, const Arguments &t) { return ts_gate_backward(s, t[0], t[1], t[2], t[3], t[4]); }},
      {"ts_token_ids",
       {{.name = "codes", .dims = {2, 3}, .dtype = TS_I32},
        {.name = "classes", .dims = {2}, .dtype = TS_I32},
        {.name = "ids", .dims = {2, 3}, .dtype = TS_I32, .output = true}},
       [](ts_stream *s, const Arguments &t) { return ts_token_ids(s, 5, 2, t[0], t[1], t[2]); }},
      {"ts_sample_codes",
       {{.name = "logits", .dims = {3, 5}, .free_shape = true},
        {.name = "codes", .dims = {3}, .dtype = TS_I32, .output = true}},
       [](ts_stream *s, const Arguments &t) { return ts_sample_codes(s, &sample, t[0], t[1]); }},
  };
}

void tensors(Device &d) {
  for (const Case &c : cases()) Runner(d, c).run();
}

void parameters(Device &d) {
  Tensor<int32_t> z(d, {2, 3, 4}, std::vector<int32_t>(24)), aside(d, {3, 4, 2}, std::vector<int32_t>(24)), c(d, {2});
  Tensor<float> w(d, {5, 7, 6}, std::vector<float>(210)), y(d, {2, 3, 4, 6}), at(d, {2, 6}),
      logits(d, {2, 5}, std::vector<float>(10));
  auto refused = [&](auto change) {
    ts_masked_conv_params p = masked();
    change(p);
    CHECK(ts_code_conv2d_forward(d.stream, &p, z, w, nullptr, y) == TS_INVALID_ARGUMENT);
    CHECK(ts_code_conv2d_at(d.stream, &p, aside, w, nullptr, at) == TS_INVALID_ARGUMENT);
  };
  refused([](auto &p) { p.struct_size = 4; });
  refused([](auto &p) { p.activation = 2; });
  refused([](auto &p) { p.kernel_h = 0; });
  refused([](auto &p) { p.kernel_w = 256; });
  refused([](auto &p) { p.taps = 0; });
  refused([](auto &p) { p.taps = 10; });
  refused([](auto &p) { p.taps = 4; });  // w has 5
  refused([](auto &p) { p.pad_top = -1; });
  refused([](auto &p) { p.pad_left = 256; });
  CHECK(ts_code_conv2d_forward(d.stream, nullptr, z, w, nullptr, y) == TS_INVALID_ARGUMENT);
  for (auto [row, column] : {std::pair{-1, 0}, {3, 0}, {0, -1}, {0, 4}}) {
    ts_masked_conv_params p = masked();
    p.row = row, p.column = column;
    CHECK(ts_code_conv2d_at(d.stream, &p, aside, w, nullptr, at) == TS_INVALID_ARGUMENT);
  }
  auto draw = [&](auto change) {
    ts_sample_params p = sampling();
    change(p);
    CHECK(ts_sample_codes(d.stream, &p, logits, c) == TS_INVALID_ARGUMENT);
  };
  draw([](auto &p) { p.struct_size = 4; });
  draw([](auto &p) { p.temperature = -1; });
  draw([](auto &p) { p.temperature = NAN; });
  draw([](auto &p) { p.temperature = INFINITY; });
  draw([](auto &p) { p.top_k = 0; });
  draw([](auto &p) { p.top_p = 0; });
  draw([](auto &p) { p.top_p = 1.5; });
  Tensor<float> none(d, {0, 5});
  Tensor<int32_t> nothing(d, {0});
  ts_sample_params p = sampling();
  OK(d, ts_sample_codes(d.stream, &p, none, nothing));
  CHECK(ts_sample_codes(d.stream, nullptr, logits, c) == TS_INVALID_ARGUMENT);
  // Classes go with their biases.
  Tensor<float> x(d, {4, 6}, std::vector<float>(24)), gates(d, {4, 6}), half(d, {4, 3}), bias(d, {5, 6});
  CHECK(ts_gate_forward(d.stream, x, bias, nullptr, gates, half) == TS_INVALID_ARGUMENT);
  CHECK(ts_gate_forward(d.stream, x, nullptr, c, gates, half) == TS_INVALID_ARGUMENT);
  CHECK(ts_gate_backward(d.stream, x, half, c, gates, nullptr) == TS_INVALID_ARGUMENT);
  CHECK(ts_gate_backward(d.stream, x, half, nullptr, gates, bias) == TS_INVALID_ARGUMENT);
}

}  // namespace

int main() {
  run("tensors spoilt one at a time", tensors);
  run("parameters", parameters);
  return finish();
}
