// Matrix products, convolutions, and what is bound by memory: each is checked on elements drawn at random.
#include <algorithm>
#include <cstdlib>

#include "bench.h"

namespace tessera::bench {
namespace {

using test::Rng;
using test::uniform_int;

constexpr int kChecked = 200;  // elements

bool tf32() {
  const char *text = getenv("TESSERA_TF32");
  return text && std::string(text) == "1";
}
Unit unit() { return tf32() ? Unit::kTf32 : Unit::kFp32; }

double as_double(int64_t n) { return static_cast<double>(n); }

// Calls check(i) for elements drawn at random out of `count`.
template <class Check>
void drawn(Rng &rng, int64_t count, Check &&check) {
  for (int i = 0; i < kChecked; i++) check(uniform_int(rng, 0, count - 1));
}

void measure_matmul(Bench &bench, Rng &rng) {
  Device &device = bench.device;
  const int64_t n = bench.sizes.product / 2;
  const Tensor<float> a(device, {n, n}), b(device, {n, n}), c(device, {n, n});
  randomize(device, a, 5, -1.0f, 1.0f);
  randomize(device, b, 6, -1.0f, 1.0f);
  const ts_matmul_params params{sizeof(ts_matmul_params), 0, 0, 0, TS_ACTIVATION_NONE, 0};
  auto product = [&] { OK(device, ts_matmul(device.stream, &params, a, b, nullptr, c)); };
  product();
  const std::vector<float> left = a.read(), right = b.read(), result = c.read();
  drawn(rng, n * n, [&](int64_t i) {
    Sum sum;
    for (int64_t k = 0; k < n; k++)
      sum.add(left[static_cast<size_t>(i / n * n + k)], right[static_cast<size_t>(k * n + i % n)]);
    CHECK_MSG(sum.allows(result[static_cast<size_t>(i)], tf32()), "matmul: element %lld", static_cast<long long>(i));
  });
  bench.measure(text("matmul %s", name_of(unit())), text("%lld^3", static_cast<long long>(n)),
                {12 * as_double(n * n), 2 * as_double(n) * as_double(n * n), unit()}, product);
}

// A 3 x 3 convolution with stride 1 and padding 1, as many channels out as in, and its gradients.
void measure_convolution(Bench &bench, Rng &rng) {
  Device &device = bench.device;
  const int64_t b = bench.sizes.batch, s = bench.sizes.side, c = bench.sizes.channels;
  const Tensor<float> x(device, {b, s, s, c}), y(device, {b, s, s, c}), dy(device, {b, s, s, c}),
      dx(device, {b, s, s, c}), w(device, {c, 3, 3, c}), dw(device, {c, 3, 3, c}), db(device, {c});
  randomize(device, x, 7, -1.0f, 1.0f);
  randomize(device, dy, 8, -1.0f, 1.0f);
  randomize(device, w, 9, -0.1f, 0.1f);
  ts_conv2d_params p{};
  p.struct_size = sizeof p;
  p.stride_h = p.stride_w = p.dilation_h = p.dilation_w = p.groups = 1;
  p.pad_top = p.pad_left = p.pad_bottom = p.pad_right = 1;
  auto forward = [&] { OK(device, ts_conv2d_forward(device.stream, &p, x, w, nullptr, y)); };
  auto by_data = [&] { OK(device, ts_conv2d_backward_data(device.stream, &p, dy, w, dx)); };
  auto by_weights = [&] { OK(device, ts_conv2d_backward_weights(device.stream, &p, x, dy, dw, db)); };
  forward();
  by_data();
  by_weights();
  const std::vector<float> vx = x.read(), vy = y.read(), vdy = dy.read(), vdx = dx.read(), vw = w.read(),
                           vdw = dw.read();
  auto pixel = [&](int64_t n, int64_t i, int64_t j) { return ((n * s + i) * s + j) * c; };
  auto inside = [&](int64_t i, int64_t j) { return i >= 0 && i < s && j >= 0 && j < s; };
  auto at = [](const std::vector<float> &v, int64_t i) { return v[static_cast<size_t>(i)]; };
  drawn(rng, b * s * s * c, [&](int64_t e) {
    const int64_t channel = e % c, j = e / c % s, i = e / c / s % s, n = e / c / s / s;
    Sum out, in;
    for (int64_t t = 0; t < 9; t++) {
      const int64_t u = t / 3 - 1, v = t % 3 - 1;
      for (int64_t k = 0; k < c; k++) {
        if (inside(i + u, j + v)) out.add(at(vx, pixel(n, i + u, j + v) + k), at(vw, (channel * 9 + t) * c + k));
        if (inside(i - u, j - v)) in.add(at(vdy, pixel(n, i - u, j - v) + k), at(vw, (k * 9 + t) * c + channel));
      }
    }
    CHECK_MSG(out.allows(at(vy, e), tf32()), "convolution: element %lld", static_cast<long long>(e));
    CHECK_MSG(in.allows(at(vdx, e), tf32()), "convolution by data: element %lld", static_cast<long long>(e));
  });
  drawn(rng, 9 * c * c, [&](int64_t e) {
    const int64_t in = e % c, t = e / c % 9, out = e / c / 9, u = t / 3 - 1, v = t % 3 - 1;
    Sum sum;
    for (int64_t n = 0; n < b; n++)
      for (int64_t i = 0; i < s; i++)
        for (int64_t j = 0; j < s; j++)
          if (inside(i + u, j + v)) sum.add(at(vdy, pixel(n, i, j) + out), at(vx, pixel(n, i + u, j + v) + in));
    CHECK_MSG(sum.allows(at(vdw, e), tf32()), "convolution by weights: element %lld", static_cast<long long>(e));
  });
  const double image = as_double(b * s * s * c), weights = as_double(9 * c * c);
  const std::string shape = text("%lldx%lldx%lldx%lld, 3x3", static_cast<long long>(b), static_cast<long long>(s),
                                 static_cast<long long>(s), static_cast<long long>(c));
  const Work work = {4 * (2 * image + weights), 2 * as_double(b * s * s) * weights, unit()};
  bench.measure(text("conv %s", name_of(unit())), shape, work, forward);
  bench.measure(text("conv by data %s", name_of(unit())), shape, work, by_data);
  bench.measure(text("conv by weights %s", name_of(unit())), shape, work, by_weights, "with the bias gradient");
}

void measure_elements(Bench &bench, Rng &rng) {
  Device &device = bench.device;
  const int64_t n = bench.sizes.elements;
  const Tensor<float> x(device, {n}), y(device, {n}), m(device, {n}), v(device, {n});
  const std::string shape = text("%lld elements", static_cast<long long>(n));
  randomize(device, x, 10, -1.0f, 1.0f);
  const std::vector<float> before = x.read();

  auto relu = [&] { OK(device, ts_unary(device.stream, TS_RELU, x, y)); };
  relu();
  const std::vector<float> positive = y.read();
  drawn(rng, n, [&](int64_t i) {
    const auto at = static_cast<size_t>(i);
    CHECK_MSG(positive[at] == std::max(before[at], 0.0f), "relu: element %zu", at);
  });
  bench.measure("relu", shape, {8 * as_double(n), 0, Unit::kNone}, relu);

  auto random = [&] { randomize(device, y, 11, 0.0f, 1.0f); };
  bench.measure("random", shape, {4 * as_double(n), 0, Unit::kNone}, random);
  const std::vector<float> uniform = y.read();
  double mean = 0;
  for (const float u : uniform) mean += static_cast<double>(u) / as_double(n);
  CHECK_MSG(std::fabs(mean - 0.5) < 5 * 0.29 / std::sqrt(as_double(n)), "random: mean %g", mean);

  auto sum = [&](const Tensor<double> &to) { OK(device, ts_sum(device.stream, x, to)); };
  const Tensor<double> total(device, {1});
  sum(total);
  double expected = 0;
  for (int64_t first = 0; first < n; first += 1024) {
    double block = 0;
    for (int64_t i = first; i < std::min(n, first + 1024); i++)
      block += static_cast<double>(before[static_cast<size_t>(i)]);
    expected += block;
  }
  CHECK_MSG(total.read()[0] == expected, "sum: %.17g, not %.17g", total.read()[0], expected);
  bench.measure("sum", shape, {4 * as_double(n), 0, Unit::kNone}, [&] { sum(total); });

  for (const Tensor<float> *t : {&m, &v}) OK(device, ts_fill(device.stream, *t, 0.0));
  ts_adam_params p{};
  p.struct_size = sizeof p;
  p.step = 1;
  p.learning_rate = 0.01;
  p.beta1 = 0.9;
  p.beta2 = 0.999;
  p.epsilon = 1e-8;
  auto adam = [&] {
    OK(device, ts_adam_step(device.stream, &p, 1, &x.descriptor(), &y.descriptor(), &m.descriptor(), &v.descriptor()));
  };
  adam();  // the first step is the learning rate, whatever the gradient (above 0)
  const std::vector<float> after = x.read();
  drawn(rng, n, [&](int64_t i) {
    const auto at = static_cast<size_t>(i);
    if (uniform[at] > 1e-3f)
      CHECK_MSG(std::fabs(before[at] - after[at] - 0.01f) < 1e-5f, "adam: element %zu went by %g", at,
                static_cast<double>(before[at] - after[at]));
  });
  bench.measure("adam", shape, {28 * as_double(n), 0, Unit::kNone}, adam);
}

void measure_rows(Bench &bench, Rng &rng) {
  Device &device = bench.device;
  const int64_t channels = bench.sizes.tiny ? 33 : 1024, rows = bench.sizes.elements / channels;
  const Tensor<float> x(device, {rows, channels}), y(device, {rows, channels}), gamma(device, {channels}),
      beta(device, {channels}), mean(device, {rows}), rstd(device, {rows});
  randomize(device, x, 12, -1.0f, 1.0f);
  OK(device, ts_fill(device.stream, gamma, 1.0));
  OK(device, ts_fill(device.stream, beta, 0.0));
  const std::string shape = text("%lld x %lld", static_cast<long long>(rows), static_cast<long long>(channels));
  const double all = as_double(rows * channels);

  auto normalize = [&] { OK(device, ts_layer_norm_forward(device.stream, 1e-5, x, gamma, beta, y, mean, rstd)); };
  normalize();
  const std::vector<float> in = x.read(), out = y.read();
  for (int i = 0; i < 20; i++) {
    const int64_t row = uniform_int(rng, 0, rows - 1);
    double sum = 0, square = 0;
    for (int64_t j = 0; j < channels; j++) sum += static_cast<double>(in[static_cast<size_t>(row * channels + j)]);
    for (int64_t j = 0; j < channels; j++)
      square +=
          std::pow(static_cast<double>(in[static_cast<size_t>(row * channels + j)]) - sum / as_double(channels), 2);
    const auto at = static_cast<size_t>(row * channels + uniform_int(rng, 0, channels - 1));
    const double expected =
        (static_cast<double>(in[at]) - sum / as_double(channels)) / std::sqrt(square / as_double(channels) + 1e-5);
    CHECK_MSG(std::fabs(static_cast<double>(out[at]) - expected) < 1e-5, "layer norm: element %zu", at);
  }
  bench.measure("layer norm", shape, {8 * all, 0, Unit::kNone}, normalize);

  std::vector<int32_t> targets(static_cast<size_t>(rows));
  for (int32_t &t : targets) t = static_cast<int32_t>(uniform_int(rng, 0, channels - 1));
  const Tensor<int32_t> target(device, {rows}, targets);
  const Tensor<double> loss(device, {1});
  auto entropy = [&] { OK(device, ts_softmax_cross_entropy(device.stream, 1.0, x, target, loss, nullptr, y)); };
  entropy();
  double expected = 0;
  for (int64_t row = 0; row < rows; row++) {
    double sum = 0;
    const float *logits = in.data() + row * channels;
    for (int64_t j = 0; j < channels; j++) sum += std::exp(static_cast<double>(logits[j]));
    expected += (std::log(sum) - static_cast<double>(logits[targets[static_cast<size_t>(row)]])) / as_double(rows);
  }
  CHECK_MSG(std::fabs(loss.read()[0] - expected) < 1e-5 * expected, "cross-entropy: %g, not %g", loss.read()[0],
            expected);
  bench.measure("softmax cross-entropy", shape, {8 * all, 0, Unit::kNone}, entropy, "with the gradient");
}

}  // namespace

void measure_layers(Bench &bench) {
  Rng rng(test::seed());
  measure_matmul(bench, rng);
  measure_convolution(bench, rng);
  if (tf32()) return;  // the rest is the same with it
  measure_elements(bench, rng);
  measure_rows(bench, rng);
}

}  // namespace tessera::bench
