// Convolutions and transposed convolutions, forward and both gradients, against float64 on random shapes: the error is
// at most about twice that of the plain formula in fp32. Outputs start as NaN, so every element is proved written.
#include "test_nn_reference.h"

using namespace tessera::test;

namespace {

struct Case {
  Conv conv;
  std::vector<float> in, w, out, in_bias, out_bias;
  ConvResult<double> exact, magnitude;
  ConvResult<float> plain;

  Case(Rng &rng, const Conv &c) : conv(c) {
    in = gaussian(rng, conv.in_size());
    w = gaussian(rng, conv.w_size());
    out = gaussian(rng, conv.out_size());
    if (uniform_int(rng, 0, 3)) {
      in_bias = gaussian(rng, static_cast<size_t>(conv.c));
      out_bias = gaussian(rng, static_cast<size_t>(conv.o));
    }
    exact = convolve(conv, as<double>(in), as<double>(w), as<double>(out));
    magnitude = convolve(conv, absolute(in), absolute(w), absolute(out));
    plain = convolve(conv, in, w, out);
  }

  // Checks one result; `got` is read after the op.
  void check_result(const char *op, const std::vector<float> &got, const std::vector<float> &plain_values,
                    const std::vector<double> &exact_values, const std::vector<double> &magnitudes) const {
    double error = error_of(got, exact_values, magnitudes),
           plain_error = error_of(plain_values, exact_values, magnitudes);
    CHECK_MSG(error <= bound_of(plain_error), "%s: %s: error %.2f, plain formula %.2f", conv.text().c_str(), op, error,
              plain_error);
  }

  void check_forward(const char *op, const std::vector<float> &got, const std::vector<float> &bias,
                     const std::vector<float> &p, const std::vector<double> &e, const std::vector<double> &m) const {
    bool relu = conv.p.activation == TS_ACTIVATION_RELU;
    check_result(op, got, finish(p, bias, relu), finish(e, as<double>(bias), relu), finish(m, absolute(bias), false));
  }
};

void plain_convolution(Device &dev, const Case &t) {
  const Conv &conv = t.conv;
  Tensor<float> in(dev, conv.in_dims(), t.in), w(dev, conv.w_dims(), t.w), out(dev, conv.out_dims(), t.out);
  Tensor<float> y(dev, conv.out_dims()), dx(dev, conv.in_dims()), dw(dev, conv.w_dims()), db(dev, {conv.o});
  Tensor<float> bias(dev, {conv.o}, t.out_bias.empty() ? std::vector<float>(static_cast<size_t>(conv.o)) : t.out_bias);
  bool biased = !t.out_bias.empty();
  const ts_tensor *none = nullptr;
  OK(dev, ts_conv2d_forward(dev.stream, &conv.p, in, w, biased ? bias : none, y));
  t.check_forward("conv2d_forward", y.read(), t.out_bias, t.plain.out, t.exact.out, t.magnitude.out);
  OK(dev, ts_conv2d_backward_data(dev.stream, &conv.p, out, w, dx));
  t.check_result("conv2d_backward_data", dx.read(), t.plain.in, t.exact.in, t.magnitude.in);
  OK(dev, ts_conv2d_backward_weights(dev.stream, &conv.p, in, out, dw, biased ? db : none));
  t.check_result("conv2d_backward_weights", dw.read(), t.plain.w, t.exact.w, t.magnitude.w);
  if (biased) t.check_result("conv2d dbias", db.read(), t.plain.out_sum, t.exact.out_sum, t.magnitude.out_sum);
}

void transposed_convolution(Device &dev, const Case &t) {
  const Conv &conv = t.conv;
  Tensor<float> in(dev, conv.in_dims(), t.in), w(dev, conv.w_dims(), t.w), out(dev, conv.out_dims(), t.out);
  Tensor<float> y(dev, conv.in_dims()), dx(dev, conv.out_dims()), dw(dev, conv.w_dims()), db(dev, {conv.c});
  Tensor<float> bias(dev, {conv.c}, t.in_bias.empty() ? std::vector<float>(static_cast<size_t>(conv.c)) : t.in_bias);
  bool biased = !t.in_bias.empty();
  const ts_tensor *none = nullptr;
  OK(dev, ts_conv_transpose2d_forward(dev.stream, &conv.p, out, w, biased ? bias : none, y));
  t.check_forward("conv_transpose2d_forward", y.read(), t.in_bias, t.plain.in, t.exact.in, t.magnitude.in);
  OK(dev, ts_conv_transpose2d_backward_data(dev.stream, &conv.p, in, w, dx));
  t.check_result("conv_transpose2d_backward_data", dx.read(), t.plain.out, t.exact.out, t.magnitude.out);
  OK(dev, ts_conv_transpose2d_backward_weights(dev.stream, &conv.p, out, in, dw, biased ? db : none));
  t.check_result("conv_transpose2d_backward_weights", dw.read(), t.plain.w, t.exact.w, t.magnitude.w);
  if (biased) t.check_result("conv_transpose2d dbias", db.read(), t.plain.in_sum, t.exact.in_sum, t.magnitude.in_sum);
}

// The layers of the Keras MNIST and Sonnet CIFAR-10 networks at a small batch: what kernels are tuned for.
std::vector<Conv> network_layers() {
  struct Row {
    int64_t size, c, o, k;
    int32_t stride, before, after;
  };
  const Row rows[] = {{28, 1, 32, 3, 2, 0, 1},  {14, 32, 64, 3, 2, 0, 1},  {7, 64, 16, 1, 1, 0, 0},
                      {14, 64, 16, 3, 2, 0, 1}, {28, 32, 64, 3, 2, 0, 1},  {28, 1, 32, 3, 1, 1, 1},
                      {32, 3, 64, 4, 2, 1, 1},  {16, 64, 128, 4, 2, 1, 1}, {8, 128, 32, 3, 1, 1, 1},
                      {8, 32, 128, 1, 1, 0, 0}, {8, 64, 128, 3, 1, 1, 1}};
  std::vector<Conv> layers;
  for (const Row &r : rows) {
    Conv conv{.b = 3, .h = r.size, .w = r.size, .c = r.c, .o = r.o, .kh = r.k, .kw = r.k, .p = {}};
    conv.p = square_params(TS_ACTIVATION_RELU, r.stride, r.before, r.after);
    conv.finish();
    layers.push_back(conv);
  }
  return layers;
}

// Strides of many residues, and larger than the image; residues without a tap; more channels than a tile of a kernel.
std::vector<Conv> unusual_layers() {
  struct Row {
    int64_t h, w, c, o, kh, kw;
    int32_t stride_h, stride_w, dilation, groups;
  };
  const Row rows[] = {{11, 13, 3, 5, 7, 6, 5, 4, 1, 1},   {4, 5, 8, 4, 3, 3, 9, 7, 1, 1},
                      {12, 12, 4, 6, 3, 3, 3, 2, 3, 1},   {6, 5, 150, 140, 2, 1, 1, 2, 1, 1},
                      {5, 6, 280, 264, 1, 2, 2, 1, 1, 2}, {9, 9, 66, 65, 3, 3, 2, 2, 1, 1}};
  std::vector<Conv> layers;
  for (const Row &r : rows) {
    Conv conv{.b = 2, .h = r.h, .w = r.w, .c = r.c, .o = r.o, .kh = r.kh, .kw = r.kw, .p = {}};
    conv.p = {.struct_size = sizeof(ts_conv2d_params),
              .activation = TS_ACTIVATION_RELU,
              .stride_h = r.stride_h,
              .stride_w = r.stride_w,
              .dilation_h = r.dilation,
              .dilation_w = r.dilation,
              .pad_top = 2,
              .pad_left = 1,
              .pad_bottom = 0,
              .pad_right = 3,
              .groups = r.groups};
    conv.finish();
    layers.push_back(conv);
  }
  return layers;
}

void unusual_shapes(Device &dev) {
  Rng rng(seed());
  for (const Conv &conv : unusual_layers()) {
    Case t(rng, conv);
    plain_convolution(dev, t);
    transposed_convolution(dev, t);
  }
}

// On a GPU a NaN reaches the results that its taps lead to, and no others: what fills up a kernel's tiles does not
// spread it. (On a CPU it may: kernels there work on several pixels at once, and oneDNN's ReLU makes it 0.)
void nan_stays_local(Device &dev) {
  Rng rng(seed());
  auto same_places = [](const std::vector<float> &got, const std::vector<float> &expected) {
    return std::equal(got.begin(), got.end(), expected.begin(),
                      [](float a, float b) { return std::isnan(a) == std::isnan(b); });
  };
  for (int i = 0; i < 20; i++) {
    Conv conv = random_conv(rng);
    auto in = gaussian(rng, conv.in_size()), w = gaussian(rng, conv.w_size()), out = gaussian(rng, conv.out_size());
    in[static_cast<size_t>(uniform_int(rng, 0, static_cast<int64_t>(in.size()) - 1))] = NAN;
    out[static_cast<size_t>(uniform_int(rng, 0, static_cast<int64_t>(out.size()) - 1))] = NAN;
    auto expected = convolve(conv, in, w, out);
    Tensor<float> tin(dev, conv.in_dims(), in), tw(dev, conv.w_dims(), w), tout(dev, conv.out_dims(), out);
    Tensor<float> y(dev, conv.out_dims()), dx(dev, conv.in_dims());
    OK(dev, ts_conv2d_forward(dev.stream, &conv.p, tin, tw, nullptr, y));
    OK(dev, ts_conv2d_backward_data(dev.stream, &conv.p, tout, tw, dx));
    CHECK_MSG(same_places(y.read(), expected.out), "%s: forward", conv.text().c_str());
    CHECK_MSG(same_places(dx.read(), expected.in), "%s: by data", conv.text().c_str());
  }
}

// With no images a forward op has nothing to do and gradients are zero.
void empty_batch(Device &dev) {
  Rng rng(seed());
  Conv conv = random_conv(rng);
  conv.b = 0;
  Tensor<float> in(dev, conv.in_dims()), out(dev, conv.out_dims()), w(dev, conv.w_dims());
  Tensor<float> dw(dev, conv.w_dims()), in_sum(dev, {conv.c}), out_sum(dev, {conv.o});
  auto zero = [](const Tensor<float> &t) {
    auto v = t.read();
    return std::all_of(v.begin(), v.end(), [](float x) { return x == 0; });
  };
  OK(dev, ts_conv2d_forward(dev.stream, &conv.p, in, w, nullptr, out));
  OK(dev, ts_conv2d_backward_data(dev.stream, &conv.p, out, w, in));
  OK(dev, ts_conv2d_backward_weights(dev.stream, &conv.p, in, out, dw, out_sum));
  CHECK(zero(dw) && zero(out_sum));
  Tensor<float> dw2(dev, conv.w_dims());
  OK(dev, ts_conv_transpose2d_forward(dev.stream, &conv.p, out, w, nullptr, in));
  OK(dev, ts_conv_transpose2d_backward_data(dev.stream, &conv.p, in, w, out));
  OK(dev, ts_conv_transpose2d_backward_weights(dev.stream, &conv.p, out, in, dw2, in_sum));
  CHECK(zero(dw2) && zero(in_sum));
}

void kernel_larger_than_image(Device &dev) {
  Conv conv{.b = 1, .h = 3, .w = 3, .c = 2, .o = 2, .kh = 5, .kw = 5, .p = {}};
  conv.p = square_params(TS_ACTIVATION_NONE, 1, 1, 1);
  conv.p.pad_top = 0;
  Tensor<float> in(dev, conv.in_dims()), w(dev, conv.w_dims()), out(dev, {1, 1, 1, 2});
  CHECK(ts_conv2d_forward(dev.stream, &conv.p, in, w, nullptr, out) == TS_INVALID_ARGUMENT);
}

// TF32 has another arithmetic, not another geometry, and the emulated tensor cores are slow: a few shapes do.
void random_shapes(Device &dev, Conv (*draw)(Rng &), int count) {
  Rng rng(seed());
  if (tf32_wanted()) count /= 5;
  for (int i = 0; i < count; i++) {
    Case t(rng, draw(rng));
    plain_convolution(dev, t);
    transposed_convolution(dev, t);
  }
}

void layers_of_networks(Device &dev) {
  Rng rng(seed());
  for (const Conv &conv : network_layers()) {
    Case t(rng, conv);
    plain_convolution(dev, t);
    transposed_convolution(dev, t);
  }
}

// 1x1 of whole vectors of channels, from one pixel to a few blocks of them.
Conv random_pointwise_conv(Rng &rng) {
  Conv conv{.b = uniform_int(rng, 1, 3),
            .h = uniform_int(rng, 1, 5),
            .w = uniform_int(rng, 1, 7),
            .c = 16 * uniform_int(rng, 1, 10),
            .o = 16 * uniform_int(rng, 1, 10),
            .kh = 1,
            .kw = 1,
            .p = {}};
  conv.p = square_params(uniform_int(rng, 0, 1) ? TS_ACTIVATION_RELU : TS_ACTIVATION_NONE, 1, 0, 0);
  conv.finish();
  return conv;
}

}  // namespace

int main() {
  run("unusual shapes", unusual_shapes);
  run("a NaN stays where it belongs", nan_stays_local, 2, For::kGpu);
  run("empty batch", empty_batch);
  run("kernel larger than the padded image is refused", kernel_larger_than_image);
  run("layers of the networks", layers_of_networks);
  run("random shapes, 2 threads", [](Device &dev) { random_shapes(dev, random_conv, 60); });
  run(
      "random shapes, 1 thread", [](Device &dev) { random_shapes(dev, random_conv, 40); }, 1, For::kCpu);
  run("3x3 of many channels, 2 threads", [](Device &dev) { random_shapes(dev, random_wide_conv, 20); });
  run(
      "3x3 of many channels, 1 thread", [](Device &dev) { random_shapes(dev, random_wide_conv, 20); }, 1, For::kCpu);
  run("1x1 of many channels, 2 threads", [](Device &dev) { random_shapes(dev, random_pointwise_conv, 40); });
  run(
      "1x1 of many channels, 1 thread", [](Device &dev) { random_shapes(dev, random_pointwise_conv, 20); }, 1,
      For::kCpu);
  return finish();
}
