// Elementwise ops, sums, losses, Adam and random numbers against float64 formulas; derivatives against finite
// differences; the same bits for any number of threads.
#include <algorithm>
#include <memory>

#include "harness.h"

using namespace tessera::test;

namespace {

double relative(double value, double reference) {
  return std::fabs(value - reference) / std::max(1.0, std::fabs(reference));
}

struct Unary {
  int32_t op;
  const char *name;
  double (*f)(double);
  double (*derivative)(double);
  bool positive;  // defined for x > 0 only
};

const Unary kUnary[] = {
    {TS_RELU, "relu", [](double x) { return x > 0 ? x : 0.0; }, [](double x) { return x > 0 ? 1.0 : 0.0; }, false},
    {TS_SIGMOID, "sigmoid", [](double x) { return 1 / (1 + std::exp(-x)); },
     [](double x) { return 1 / (1 + std::exp(-x)) * (1 - 1 / (1 + std::exp(-x))); }, false},
    {TS_TANH, "tanh", [](double x) { return std::tanh(x); }, [](double x) { return 1 - std::tanh(x) * std::tanh(x); },
     false},
    {TS_EXP, "exp", [](double x) { return std::exp(x); }, [](double x) { return std::exp(x); }, false},
    {TS_LOG, "log", [](double x) { return std::log(x); }, [](double x) { return 1 / x; }, true},
    {TS_SQUARE, "square", [](double x) { return x * x; }, [](double x) { return 2 * x; }, false},
    {TS_SQRT, "sqrt", [](double x) { return std::sqrt(x); }, [](double x) { return 0.5 / std::sqrt(x); }, true},
    {TS_ABS, "abs", [](double x) { return std::fabs(x); }, [](double x) { return x > 0 ? 1.0 : -1.0; }, false},
    {TS_GELU, "gelu", [](double x) { return 0.5 * x * std::erfc(-x / std::sqrt(2.0)); },
     [](double x) {
       return 0.5 * std::erfc(-x / std::sqrt(2.0)) + x * std::exp(-0.5 * x * x) / std::sqrt(2 * std::acos(-1.0));
     },
     false},
    {TS_NEG, "neg", [](double x) { return -x; }, [](double) { return -1.0; }, false},
};

void unary(Device &d) {
  Rng rng(seed());
  for (const Unary &u : kUnary) {
    for (int64_t n : {0, 1, 15, 17, 1000, 70001}) {
      std::vector<float> values = gaussian(rng, static_cast<size_t>(n), 3.0f), dys = gaussian(rng, values.size());
      if (u.positive)
        for (float &v : values) v = std::fabs(v) + 0.01f;
      Tensor<float> x(d, {n}, values), y(d, {n}), dy(d, {n}, dys), dx(d, {n});
      OK(d, ts_unary(d.stream, u.op, x, y));
      OK(d, ts_unary_backward(d.stream, u.op, x, y, dy, dx));
      std::vector<float> ys = y.read(), dxs = dx.read();
      double worst = 0, worst_d = 0, worst_fd = 0;
      for (size_t i = 0; i < values.size(); i++) {
        double v = values[i];
        worst = std::max(worst, relative(ys[i], u.f(v)));
        worst_d = std::max(worst_d, relative(dxs[i], dys[i] * u.derivative(v)));
        double h = 1e-5;
        if (std::fabs(v) > 0.001)
          worst_fd = std::max(worst_fd, relative((u.f(v + h) - u.f(v - h)) / (2 * h), u.derivative(v)));
      }
      CHECK_MSG(worst < 1e-6 && worst_d < 1e-6, "%s n=%lld: error %g, of the derivative %g", u.name,
                static_cast<long long>(n), worst, worst_d);
      CHECK_MSG(worst_fd < 1e-4, "the reference's derivative of %s is off by %g", u.name, worst_fd);
      const ts_tensor *x_or_null = u.op == TS_RELU ? nullptr : static_cast<const ts_tensor *>(x);
      OK(d, ts_unary_backward(d.stream, u.op, x_or_null, y, dy, dy));
      CHECK(dy.read() == dxs);
      OK(d, ts_unary(d.stream, u.op, x, x));
      CHECK(x.read() == ys);
    }
  }
  // Large arguments saturate and do not overflow; a NaN stays one.
  Tensor<float> x(d, {4}, {-1000.0f, 1000.0f, NAN, -0.0f}), y(d, {4});
  OK(d, ts_unary(d.stream, TS_SIGMOID, x, y));
  std::vector<float> s = y.read();
  CHECK(s[0] == 0.0f && s[1] == 1.0f && std::isnan(s[2]) && s[3] == 0.5f);
  OK(d, ts_unary(d.stream, TS_RELU, x, y));
  s = y.read();
  CHECK(s[0] == 0.0f && s[1] == 1000.0f && std::isnan(s[2]) && s[3] == 0.0f);
}

void binary(Device &d) {
  Rng rng(seed() + 1);
  float (*reference[])(float, float) = {[](float a, float b) { return a + b; },
                                        [](float a, float b) { return a - b; },
                                        [](float a, float b) { return a * b; },
                                        [](float a, float b) { return a / b; },
                                        [](float a, float b) { return a != a || b != b ? NAN : std::max(a, b); },
                                        [](float a, float b) { return a != a || b != b ? NAN : std::min(a, b); }};
  for (int32_t op = TS_ADD; op <= TS_MIN; op++) {
    for (int64_t n : {0, 1, 33, 50000}) {
      std::vector<float> as = gaussian(rng, static_cast<size_t>(n)), bs = gaussian(rng, as.size());
      if (n > 5) as[3] = NAN, bs[4] = NAN;
      Tensor<float> a(d, {n}, as), b(d, {n}, bs), y(d, {n});
      OK(d, ts_binary(d.stream, op, a, b, y));
      std::vector<float> ys = y.read();
      for (size_t i = 0; i < as.size(); i++) {
        float r = reference[op](as[i], bs[i]);
        CHECK_MSG(ys[i] == r || (std::isnan(ys[i]) && std::isnan(r)), "op %d: %g, %g gives %g", op, as[i], bs[i],
                  ys[i]);
      }
    }
  }
  std::vector<float> xs = gaussian(rng, 1000), zs = gaussian(rng, 1000);
  Tensor<float> x(d, {10, 100}, xs), z(d, {10, 100}, zs), poison(d, {10, 100});
  OK(d, ts_axpby(d.stream, 2.5, x, -0.5, z));
  OK(d, ts_axpby(d.stream, 2.0, x, 0.0, poison));  // beta = 0 must not read y: it is NaN
  std::vector<float> r = z.read(), r2 = poison.read();
  for (size_t i = 0; i < 1000; i++) CHECK(r[i] == 2.5f * xs[i] + -0.5f * zs[i] && r2[i] == 2.0f * xs[i]);
  std::vector<float> bs = gaussian(rng, 100);
  Tensor<float> bias(d, {100}, bs);
  OK(d, ts_bias(d.stream, TS_ACTIVATION_RELU, x, bias, x));
  r = x.read();
  for (size_t i = 0; i < 1000; i++) CHECK(r[i] == std::max(0.0f, xs[i] + bs[i % 100]));
}

void fills(Device &d) {
  Tensor<float> f(d, {3, 7});
  Tensor<double> g(d, {5});
  Tensor<int32_t> i(d, {100000});
  Tensor<int64_t> l(d, {3});
  Tensor<uint8_t> u(d, {9});
  OK(d, ts_fill(d.stream, f, -1.5));
  OK(d, ts_fill(d.stream, g, 0.1));
  OK(d, ts_fill(d.stream, i, -7.9));
  OK(d, ts_fill(d.stream, l, 1e15));
  OK(d, ts_fill(d.stream, u, 255));
  CHECK(f.read() == std::vector<float>(21, -1.5f) && g.read() == std::vector<double>(5, 0.1));
  CHECK(i.read() == std::vector<int32_t>(100000, -7) && l.read() == std::vector<int64_t>(3, 1000000000000000));
  CHECK(u.read() == std::vector<uint8_t>(9, 255));
  CHECK(ts_fill(d.stream, u, 256) == TS_INVALID_ARGUMENT && ts_fill(d.stream, i, 3e9) == TS_INVALID_ARGUMENT);
  CHECK(ts_fill(d.stream, l, NAN) == TS_INVALID_ARGUMENT);
}

void sums_and_losses(Device &d) {
  Rng rng(seed() + 2);
  for (int64_t n : {1, 2, 1023, 1024, 1025, 100003}) {
    std::vector<float> ps = gaussian(rng, static_cast<size_t>(n), 2.0f), ts(ps.size());
    for (float &t : ts) t = std::uniform_real_distribution<float>(0, 1)(rng);
    Tensor<float> p(d, {n}, ps), t(d, {n}, ts), grad(d, {n});
    Tensor<double> value(d, {1});
    double sum = 0;
    for (int64_t b = 0; b < n; b += 1024) {
      double block = 0;
      for (int64_t i = b; i < std::min(n, b + 1024); i++) block += ps[static_cast<size_t>(i)];
      sum += block;
    }
    OK(d, ts_sum(d.stream, p, value));
    CHECK_MSG(value.read()[0] == sum, "n=%lld: the order of addition is not the documented one",
              static_cast<long long>(n));
    for (int32_t kind = TS_LOSS_MSE; kind <= TS_LOSS_BCE_WITH_LOGITS; kind++) {
      auto term = [kind](double x, double y) {
        if (kind == TS_LOSS_MSE) return (x - y) * (x - y);
        if (kind == TS_LOSS_L1) return std::fabs(x - y);
        return std::max(x, 0.0) - x * y + std::log1p(std::exp(-std::fabs(x)));
      };
      OK(d, ts_loss(d.stream, kind, 3.0, p, t, value, grad));
      double expected = 0, worst = 0;
      std::vector<float> g = grad.read();
      for (size_t i = 0; i < ps.size(); i++) {
        expected += term(ps[i], ts[i]) / static_cast<double>(n);
        double h = 1e-6, fd = 3.0 * (term(ps[i] + h, ts[i]) - term(ps[i] - h, ts[i])) / (2 * h);
        if (kind != TS_LOSS_L1 || std::fabs(ps[i] - ts[i]) > 1e-5f)
          worst = std::max(worst, std::fabs(g[i] * static_cast<double>(n) - fd));
      }
      CHECK_MSG(relative(value.read()[0], expected) < 1e-12, "loss %d is %.17g, not %.17g", kind, value.read()[0],
                expected);
      CHECK_MSG(worst < 1e-5, "loss %d: gradient off by %g", kind, worst);
      Tensor<float> in_place(d, {n}, ps);
      OK(d, ts_loss(d.stream, kind, 3.0, in_place, t, value, in_place));
      CHECK(in_place.read() == g);
    }
  }
}

// As many blocks of 1024 as a device adds in several turns.
void long_sum(Device &d) {
  Rng rng(seed() + 5);
  std::vector<float> xs = gaussian(rng, 3 * 1024 * 1024 + 5000);
  Tensor<float> x(d, {static_cast<int64_t>(xs.size())}, xs);
  Tensor<double> value(d, {1});
  OK(d, ts_sum(d.stream, x, value));
  double sum = 0;
  for (size_t b = 0; b < xs.size(); b += 1024) {
    double block = 0;
    for (size_t i = b; i < std::min(xs.size(), b + 1024); i++) block += xs[i];
    sum += block;
  }
  CHECK(value.read()[0] == sum);
}

void adam(Device &d) {
  Rng rng(seed() + 3);
  for (int32_t hat : {0, 1}) {
    std::vector<int64_t> sizes = {1, 17, 40000};
    std::vector<std::vector<double>> p, m, v;
    std::vector<std::unique_ptr<Tensor<float>>> tensors;  // parameter, gradient, m, v of each
    std::vector<ts_tensor> descriptors[4];
    for (int64_t n : sizes) {
      std::vector<float> start = gaussian(rng, static_cast<size_t>(n));
      p.emplace_back(start.begin(), start.end());
      m.emplace_back(n, 0.0);
      v.emplace_back(n, 0.0);
      for (int j = 0; j < 4; j++) {
        tensors.push_back(std::make_unique<Tensor<float>>(
            d, std::vector<int64_t>{n}, j == 0 ? start : std::vector<float>(static_cast<size_t>(n), 0.0f)));
        descriptors[j].push_back(tensors.back()->descriptor());
      }
    }
    ts_adam_params params{.struct_size = sizeof params,
                          .epsilon_hat = hat,
                          .step = 0,
                          .learning_rate = 1e-2,
                          .beta1 = 0.9,
                          .beta2 = 0.999,
                          .epsilon = 1e-7,
                          .weight_decay = 0.01};
    for (params.step = 1; params.step <= 20; params.step++) {
      for (size_t t = 0; t < sizes.size(); t++) {
        std::vector<float> g = gaussian(rng, p[t].size(), 0.1f);
        OK(d, ts_copy_to_device(d.stream, descriptors[1][t].data, g.data(), g.size() * 4));
        double step = static_cast<double>(params.step);
        for (size_t i = 0; i < g.size(); i++) {
          m[t][i] = 0.9 * m[t][i] + 0.1 * g[i];
          v[t][i] = 0.999 * v[t][i] + 0.001 * g[i] * g[i];
          double c1 = 1 - std::pow(0.9, step), c2 = 1 - std::pow(0.999, step);
          double update = hat ? 1e-2 * std::sqrt(c2) / c1 * m[t][i] / (std::sqrt(v[t][i]) + 1e-7)
                              : 1e-2 * (m[t][i] / c1) / (std::sqrt(v[t][i] / c2) + 1e-7);
          p[t][i] -= 1e-2 * 0.01 * p[t][i] + update;
        }
      }
      OK(d, ts_adam_step(d.stream, &params, 3, descriptors[0].data(), descriptors[1].data(), descriptors[2].data(),
                         descriptors[3].data()));
    }
    for (size_t t = 0; t < sizes.size(); t++) {
      std::vector<float> got = tensors[4 * t]->read();
      double worst = 0;
      for (size_t i = 0; i < got.size(); i++) worst = std::max(worst, relative(got[i], p[t][i]));
      CHECK_MSG(worst < 2e-5, "epsilon_hat %d: parameters off by %g after 20 steps", hat, worst);
    }
  }
}

void random_numbers(Device &d) {
  // Known answers of Random123's distribution (kat_vectors, philox4x32 10) are for raw words; with key and counter zero
  // they are 6627e8d5 e169c58d bc57ac4c 9b00dbd8.
  ts_random_params params{};
  params.struct_size = sizeof params;
  params.high = 1;
  Tensor<float> y(d, {6});
  OK(d, ts_random_uniform(d.stream, &params, y));
  std::vector<float> u = y.read();
  const uint32_t words[] = {0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8};
  for (size_t i = 0; i < 4; i++) CHECK(u[i] == static_cast<float>(words[i] >> 8) * 0x1p-24f);
  // With all ones: 408f276d 41c83b0e a20bc7c6 6d5451fd; the counter's first word is a block index, so only the key and
  // the other words can be reached here, and element 0 is compared between devices and threads instead.
  params = {.struct_size = sizeof params,
            .stream = 7,
            .seed = seed(),
            .step = 0x123456789abcdefULL,
            .low = -2.0f,
            .high = 3.0f};
  Tensor<float> big(d, {100001}), part(d, {4004});
  OK(d, ts_random_uniform(d.stream, &params, big));
  OK(d, ts_random_uniform(d.stream, &params, part));
  std::vector<float> all = big.read(), some = part.read();
  CHECK(std::equal(some.begin(), some.end(), all.begin()));
  double mean = 0, square = 0;
  for (float v : all) {
    CHECK(v >= -2.0f && v <= 3.0f);
    mean += v / 100001.0;
    square += v * static_cast<double>(v) / 100001.0;
  }
  CHECK_MSG(std::fabs(mean - 0.5) < 0.03 && std::fabs(square - mean * mean - 25.0 / 12) < 0.05, "mean %g variance %g",
            mean, square - mean * mean);
  params.step++;
  OK(d, ts_random_uniform(d.stream, &params, part));
  CHECK(part.read() != some);
}

void dropout(Device &d) {
  Rng rng(seed() + 6);
  for (int64_t n : {0, 1, 3, 4, 63, 64, 65, 70003})
    for (double probability : {0.0, 0.1, 0.5, 0.999}) {
      ts_dropout_params params{sizeof params, 9, seed(), uint64_t{1} << 40 | static_cast<uint64_t>(n), probability};
      ts_random_params random{sizeof random, 9, params.seed, params.step, 0, 1};
      std::vector<float> xs = gaussian(rng, static_cast<size_t>(n)), rs = gaussian(rng, xs.size());
      Tensor<float> x(d, {n}, xs), r(d, {n}, rs), y(d, {n}), z(d, {n}), u(d, {n});
      OK(d, ts_random_uniform(d.stream, &random, u));
      OK(d, ts_dropout(d.stream, &params, x, nullptr, y));
      OK(d, ts_dropout(d.stream, &params, x, r, z));
      std::vector<float> us = u.read(), expected(xs.size()), sums(xs.size());
      const auto scale = static_cast<float>(1 / (1 - probability));
      for (size_t i = 0; i < xs.size(); i++) {
        expected[i] = static_cast<double>(us[i]) < probability ? 0.0f : xs[i] * scale;
        sums[i] = rs[i] + expected[i];
      }
      CHECK_MSG(y.read() == expected && z.read() == sums, "n=%lld p=%g", static_cast<long long>(n), probability);
      if (n > 1000) {
        auto dropped = static_cast<double>(std::count(expected.begin(), expected.end(), 0.0f)) / static_cast<double>(n);
        CHECK_MSG(std::fabs(dropped - probability) < 0.01, "%g dropped, not %g", dropped, probability);
      }
      OK(d, ts_dropout(d.stream, &params, x, r, r));  // in place on either
      OK(d, ts_dropout(d.stream, &params, x, nullptr, x));
      CHECK(r.read() == sums && x.read() == expected);
    }
  // Every NaN that is dropped is gone.
  ts_dropout_params params{sizeof params, 1, 2, 3, 0.5};
  Tensor<float> x(d, {1000}, std::vector<float>(1000, NAN)), y(d, {1000});
  OK(d, ts_dropout(d.stream, &params, x, nullptr, y));
  int zeros = 0;
  for (float v : y.read()) zeros += v == 0.0f;
  CHECK_MSG(zeros > 400 && zeros < 600, "%d of 1000", zeros);
  for (double bad : {-0.1, 1.0, static_cast<double>(NAN)}) {
    params.probability = bad;
    CHECK(ts_dropout(d.stream, &params, x, nullptr, y) == TS_INVALID_ARGUMENT);
  }
}

void clipping(Device &d) {
  Rng rng(seed() + 7);
  const std::vector<std::vector<float>> start = {gaussian(rng, 1), {}, gaussian(rng, 5000, 3.0f), gaussian(rng, 1024)};
  double sum = 0;
  for (const auto &g : start)
    for (size_t first = 0; first < g.size(); first += 1024) {
      double block = 0;
      for (size_t i = first; i < std::min(g.size(), first + 1024); i++) {
        const auto value = static_cast<double>(g[i]);
        block += value * value;
      }
      sum += block;
    }
  for (double most : {1e-3, 1.0, std::sqrt(sum), 1e9}) {
    std::vector<std::unique_ptr<Tensor<float>>> tensors;
    std::vector<ts_tensor> gradients;
    for (const auto &g : start) {
      tensors.push_back(std::make_unique<Tensor<float>>(d, std::vector<int64_t>{static_cast<int64_t>(g.size())}, g));
      gradients.push_back(tensors.back()->descriptor());
    }
    Tensor<double> norm(d, {1});
    OK(d, ts_clip_gradients(d.stream, most, 4, gradients.data(), norm));
    CHECK_MSG(norm.read()[0] == std::sqrt(sum), "%.17g, not %.17g", norm.read()[0], std::sqrt(sum));
    const float factor = std::sqrt(sum) > most ? static_cast<float>(most / std::sqrt(sum)) : 1.0f;
    for (size_t t = 0; t < start.size(); t++) {
      std::vector<float> expected = start[t];
      for (float &g : expected) g *= factor;
      CHECK(tensors[t]->read() == expected);
    }
  }
  for (float bad : {NAN, INFINITY}) {
    Tensor<float> g(d, {3}, {3.0f, bad, 4.0f});
    Tensor<double> norm(d, {1});
    OK(d, ts_clip_gradients(d.stream, 1.0, 1, g, norm));
    CHECK(!std::isfinite(norm.read()[0]) && g.read()[0] == 3.0f && g.read()[2] == 4.0f);
  }
  Tensor<double> norm(d, {1});
  OK(d, ts_clip_gradients(d.stream, 1.0, 0, nullptr, norm));
  CHECK(norm.read()[0] == 0);
  for (double bad : {0.0, -1.0, static_cast<double>(NAN)})
    CHECK(ts_clip_gradients(d.stream, bad, 0, nullptr, norm) == TS_INVALID_ARGUMENT);
}

// GELU over the numbers where its pieces meet: relative to x Phi(x) where that is a normal number.
void gelu_tails(Device &d) {
  std::vector<float> xs;
  for (float x = -14.0f; x < 14.0f; x += 0.0037f) xs.push_back(x);
  for (float x : {0.0f, -0.0f, 1e-30f, -1e-30f, 50.0f, -50.0f, 1e30f, -1e30f, INFINITY}) xs.push_back(x);
  const auto n = static_cast<int64_t>(xs.size());
  Tensor<float> x(d, {n}, xs), y(d, {n}), one(d, {n}, std::vector<float>(xs.size(), 1.0f)), slope(d, {n});
  OK(d, ts_unary(d.stream, TS_GELU, x, y));
  OK(d, ts_unary_backward(d.stream, TS_GELU, x, nullptr, one, slope));
  std::vector<float> ys = y.read(), slopes = slope.read();
  for (size_t i = 0; i < xs.size(); i++) {
    const double v = xs[i], expected = v * 0.5 * std::erfc(-v / std::sqrt(2.0));
    const double steep = std::isinf(v) ? 1
                                       : 0.5 * std::erfc(-v / std::sqrt(2.0)) +
                                             v * std::exp(-0.5 * v * v) / std::sqrt(2 * std::acos(-1.0));
    CHECK_MSG(ys[i] == expected || std::fabs(ys[i] - expected) < 3e-7 * std::max(std::fabs(v), 1e-3) + 1e-38,
              "gelu(%g) = %g, not %g", v, ys[i], expected);
    if (!std::isinf(v)) CHECK_MSG(std::fabs(slopes[i] - steep) < 1e-6, "gelu'(%g) = %g, not %g", v, slopes[i], steep);
  }
  Tensor<float> nan(d, {2}, {NAN, NAN}), out(d, {2});
  OK(d, ts_unary(d.stream, TS_GELU, nan, out));
  CHECK(std::isnan(out.read()[0]) && std::isnan(out.read()[1]));
}

// Everything that is split over threads gives the same bits on one.
void thread_counts(Device &d) {
  Rng rng(seed() + 4);
  int64_t n = 200003;
  std::vector<float> ps = gaussian(rng, static_cast<size_t>(n)), ts = gaussian(rng, ps.size());
  std::vector<double> losses;
  std::vector<std::vector<float>> gradients;
  for (int threads : {1, 2, 3, 8}) {
    ts_stream_options options{sizeof options, threads};
    Device on{d.name, d.device, nullptr};
    CHECK(ts_stream_open(d.device, &options, &on.stream, nullptr) == TS_OK);
    {
      Tensor<float> p(on, {n}, ps), t(on, {n}, ts), grad(on, {n});
      Tensor<double> loss(on, {1});
      OK(on, ts_loss(on.stream, TS_LOSS_MSE, 1.0, p, t, loss, grad));
      losses.push_back(loss.read()[0]);
      gradients.push_back(grad.read());
    }
    ts_stream_close(on.stream, nullptr);
  }
  for (size_t i = 1; i < losses.size(); i++) CHECK(losses[i] == losses[0] && gradients[i] == gradients[0]);
}

}  // namespace

int main() {
  run("unary ops and derivatives", unary);
  run("binary ops, axpby, bias", binary);
  run("fills", fills);
  run("sums and losses", sums_and_losses);
  run("a long sum", long_sum);
  run("adam", adam);
  run("random numbers", random_numbers);
  run("dropout", dropout);
  run("clipping by the global norm", clipping);
  run("gelu far out", gelu_tails);
  run("thread counts", thread_counts);
  return finish();
}
