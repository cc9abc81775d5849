// Softmax cross-entropy and layer normalisation against float64 formulas, which are checked by finite differences;
// large logits, targets out of range, one column, many rows; the same bits for any number of threads.
#include <array>

#include "harness.h"

using namespace tessera::test;

namespace {

using Doubles = std::vector<double>;

double cross_entropy(const Doubles &x, const std::vector<int32_t> &targets, int64_t k) {
  double total = 0;
  int64_t rows = static_cast<int64_t>(targets.size());
  for (int64_t r = 0; r < rows; r++) {
    const double *row = x.data() + r * k;
    double most = *std::max_element(row, row + k), sum = 0;
    for (int64_t i = 0; i < k; i++) sum += std::exp(row[i] - most);
    total += std::log(sum) + most - row[targets[static_cast<size_t>(r)]];
  }
  return total / static_cast<double>(rows);
}

Doubles cross_entropy_gradient(const Doubles &x, const std::vector<int32_t> &targets, int64_t k) {
  Doubles g(x.size());
  int64_t rows = static_cast<int64_t>(targets.size());
  for (int64_t r = 0; r < rows; r++) {
    const double *row = x.data() + r * k;
    double most = *std::max_element(row, row + k), sum = 0;
    for (int64_t i = 0; i < k; i++) sum += std::exp(row[i] - most);
    for (int64_t i = 0; i < k; i++)
      g[static_cast<size_t>(r * k + i)] =
          (std::exp(row[i] - most) / sum - (i == targets[static_cast<size_t>(r)])) / static_cast<double>(rows);
  }
  return g;
}

double largest_difference(const std::vector<float> &a, const Doubles &b) {
  double worst = 0;
  for (size_t i = 0; i < b.size(); i++) {
    double e = std::fabs(static_cast<double>(a[i]) - b[i]);
    worst = std::isnan(e) ? INFINITY : std::max(worst, e);
  }
  return worst;
}

void softmax(Device &d) {
  Rng rng(seed());
  for (auto [rows, k] : {std::pair<int64_t, int64_t>{1, 1}, {1, 7}, {3, 128}, {49, 17}, {3000, 33}, {1025, 512}}) {
    std::vector<float> values = gaussian(rng, static_cast<size_t>(rows * k), 5.0f);
    if (rows == 3) values[5] = 1e30f, values[200] = -3e38f;  // neither overflows
    std::vector<int32_t> targets;
    for (int64_t r = 0; r < rows; r++) targets.push_back(static_cast<int32_t>(uniform_int(rng, 0, k - 1)));
    if (rows == 3) targets[0] = 5;
    Doubles x(values.begin(), values.end());
    Tensor<float> logits(d, {rows, k}, values), grad(d, {rows, k}), losses(d, {rows});
    Tensor<int32_t> t(d, {rows}, targets);
    Tensor<double> loss(d, {1});
    OK(d, ts_softmax_cross_entropy(d.stream, 3.0, logits, t, loss, losses, grad));
    double expected = cross_entropy(x, targets, k);
    CHECK_MSG(std::fabs(loss.read()[0] - expected) <= 1e-6 * std::max(1.0, expected), "%lld x %lld: %.9g, not %.9g",
              static_cast<long long>(rows), static_cast<long long>(k), loss.read()[0], expected);
    Doubles exact = cross_entropy_gradient(x, targets, k);
    for (double &g : exact) g *= 3;
    double error = largest_difference(grad.read(), exact) * static_cast<double>(rows);
    CHECK_MSG(error < 1e-5, "%lld x %lld: gradient differs by %g", static_cast<long long>(rows),
              static_cast<long long>(k), error);
    double mean = 0;
    for (float v : losses.read()) mean += static_cast<double>(v) / static_cast<double>(rows);
    CHECK(std::fabs(mean - expected) <= 1e-5 * std::max(1.0, expected));
    std::vector<float> kept = grad.read();
    double first = loss.read()[0];
    OK(d, ts_softmax_cross_entropy(d.stream, 3.0, logits, t, loss, nullptr, logits));  // in place
    CHECK(logits.read() == kept && loss.read()[0] == first);
  }
  // The reference's gradient, by differences.
  Doubles x;
  for (float v : gaussian(rng, 24)) x.push_back(v);
  std::vector<int32_t> targets = {0, 3, 7};
  Doubles g = cross_entropy_gradient(x, targets, 8);
  for (size_t i = 0; i < x.size(); i++) {
    Doubles up = x, down = x;
    up[i] += 1e-5, down[i] -= 1e-5;
    CHECK(std::fabs((cross_entropy(up, targets, 8) - cross_entropy(down, targets, 8)) / 2e-5 - g[i]) < 1e-8);
  }
}

// A NaN among a row's logits makes its loss NaN, wherever it lies, and no other row's.
void softmax_of_nan(Device &d) {
  Rng rng(seed() + 2);
  for (size_t at : {0, 1, 15, 16, 31, 32, 36}) {
    std::vector<float> values = gaussian(rng, 3 * 37);
    values[37 + at] = NAN;
    Tensor<float> logits(d, {3, 37}, values), losses(d, {3});
    Tensor<int32_t> targets(d, {3}, {4, 5, 6});
    Tensor<double> loss(d, {1});
    OK(d, ts_softmax_cross_entropy(d.stream, 1, logits, targets, loss, losses, nullptr));
    std::vector<float> got = losses.read();
    CHECK_MSG(std::isfinite(got[0]) && std::isnan(got[1]) && std::isfinite(got[2]), "NaN at %zu: %g %g %g", at,
              static_cast<double>(got[0]), static_cast<double>(got[1]), static_cast<double>(got[2]));
  }
}

void targets_out_of_range(Device &d) {
  Rng rng(seed() + 1);
  std::vector<float> values = gaussian(rng, 40);
  Tensor<float> logits(d, {4, 10}, values), grad(d, {4, 10});
  Tensor<int32_t> targets(d, {4}, {1, 10, -1, 9});
  Tensor<double> loss(d, {1});
  ts_status status = ts_softmax_cross_entropy(d.stream, 1, logits, targets, loss, nullptr, grad);
  if (status == TS_OK) status = ts_stream_synchronize(d.stream);
  ts_fault fault{};
  fault.struct_size = sizeof fault;
  OK(d, ts_stream_fault(d.stream, &fault));
  CHECK(status == TS_DATA_FAULT && fault.kind == TS_FAULT_CODE_RANGE && fault.row == 1);
  std::vector<float> g = grad.read();
  for (size_t i = 10; i < 30; i++) CHECK(g[i] == 0.0f);
  double expected = (cross_entropy(Doubles(values.begin(), values.begin() + 10), {1}, 10) +
                     cross_entropy(Doubles(values.begin() + 30, values.end()), {9}, 10)) /
                    4;
  CHECK(std::fabs(loss.read()[0] - expected) < 1e-6);
}

// y, or with dy the gradient of sum(dy y) by x, gamma and beta.
struct Norm {
  int64_t rows, c;
  Doubles x, gamma, beta, dy;

  double normalized(size_t at, const Doubles &xs) const {
    int64_t row = static_cast<int64_t>(at) / c;
    double mean = 0, variance = 0;
    for (int64_t i = 0; i < c; i++) mean += xs[static_cast<size_t>(row * c + i)] / static_cast<double>(c);
    for (int64_t i = 0; i < c; i++)
      variance += std::pow(xs[static_cast<size_t>(row * c + i)] - mean, 2) / static_cast<double>(c);
    return (xs[at] - mean) / std::sqrt(variance + 1e-5);
  }
  double value(size_t at, const Doubles &xs) const {
    size_t channel = at % static_cast<size_t>(c);
    return normalized(at, xs) * gamma[channel] + beta[channel];
  }
  double row_objective(int64_t row, const Doubles &xs) const {
    double sum = 0;
    for (int64_t i = 0; i < c; i++)
      sum += dy[static_cast<size_t>(row * c + i)] * value(static_cast<size_t>(row * c + i), xs);
    return sum;
  }
};

void layer_norm(Device &d) {
  Rng rng(seed() + 2);
  for (auto [rows, c] : {std::pair<int64_t, int64_t>{0, 4}, {1, 1}, {1, 3}, {5, 16}, {7, 100}, {600, 31}, {300, 256}}) {
    auto size = static_cast<size_t>(rows * c);
    std::vector<float> xs = gaussian(rng, size, 2.0f, 3.0f), gs = gaussian(rng, static_cast<size_t>(c)),
                       bs = gaussian(rng, static_cast<size_t>(c)), dys = gaussian(rng, size);
    Norm n{rows, c, {xs.begin(), xs.end()}, {gs.begin(), gs.end()}, {bs.begin(), bs.end()}, {dys.begin(), dys.end()}};
    Tensor<float> x(d, {rows, c}, xs), gamma(d, {c}, gs), beta(d, {c}, bs), y(d, {rows, c}), mean(d, {rows}),
        rstd(d, {rows}), dy(d, {rows, c}, dys), dx(d, {rows, c}), dgamma(d, {c}), dbeta(d, {c});
    OK(d, ts_layer_norm_forward(d.stream, 1e-5, x, gamma, beta, y, mean, rstd));
    OK(d, ts_layer_norm_backward(d.stream, x, gamma, mean, rstd, dy, dx, dgamma, dbeta));
    Doubles exact_y(size), exact_g(static_cast<size_t>(c)), exact_b(static_cast<size_t>(c));
    for (size_t i = 0; i < size; i++) {
      exact_y[i] = n.value(i, n.x);
      size_t channel = i % static_cast<size_t>(c);
      exact_g[channel] += n.dy[i] * n.normalized(i, n.x);
      exact_b[channel] += n.dy[i];
    }
    double scale = std::sqrt(static_cast<double>(rows + 1));
    CHECK_MSG(largest_difference(y.read(), exact_y) < 2e-5, "y differs by %g", largest_difference(y.read(), exact_y));
    CHECK_MSG(largest_difference(dgamma.read(), exact_g) < 2e-5 * scale, "dgamma differs by %g",
              largest_difference(dgamma.read(), exact_g));
    CHECK(largest_difference(dbeta.read(), exact_b) < 1e-5 * scale);
    std::vector<float> dxs = dx.read();
    for (int probe = 0; rows > 0 && probe < 40; probe++) {  // by differences of the float64 formula
      auto at = static_cast<size_t>(uniform_int(rng, 0, rows * c - 1));
      Doubles up = n.x, down = n.x;
      up[at] += 1e-4, down[at] -= 1e-4;
      int64_t row = static_cast<int64_t>(at) / c;
      double slope = (n.row_objective(row, up) - n.row_objective(row, down)) / 2e-4;
      CHECK_MSG(std::fabs(static_cast<double>(dxs[at]) - slope) < 1e-4 * (1 + std::fabs(slope)),
                "%lld x %lld: %g, not %g", static_cast<long long>(rows), static_cast<long long>(c),
                static_cast<double>(dxs[at]), slope);
    }
    std::vector<float> before = y.read();
    OK(d, ts_layer_norm_backward(d.stream, x, gamma, mean, rstd, dy, dy, dgamma, dbeta));  // in place
    CHECK(dy.read() == dxs);
    OK(d, ts_layer_norm_forward(d.stream, 1e-5, x, gamma, beta, x, mean, rstd));
    CHECK(x.read() == before);
  }
}

void embedding(Device &d) {
  Rng rng(seed() + 3);
  for (auto [n, k, c] : {std::array<int64_t, 3>{0, 1, 1}, {1, 1, 1}, {7, 3, 5}, {100, 20, 32}, {3000, 513, 12}}) {
    std::vector<float> table = gaussian(rng, static_cast<size_t>(k * c)), expected;
    std::vector<int32_t> codes;
    for (int64_t i = 0; i < n; i++) {
      codes.push_back(static_cast<int32_t>(uniform_int(rng, 0, k - 1)));
      expected.insert(expected.end(), table.begin() + codes.back() * c, table.begin() + (codes.back() + 1) * c);
    }
    Tensor<float> t(d, {k, c}, table), out(d, {n, c});
    Tensor<int32_t> ids(d, {n}, codes);
    OK(d, ts_embedding(d.stream, t, ids, out));
    CHECK(out.read() == expected);
  }
  Tensor<float> table(d, {2, 2}, {1, 2, 3, 4}), out(d, {4, 2});
  Tensor<int32_t> codes(d, {4}, {1, 2, -1, 0});
  ts_status status = ts_embedding(d.stream, table, codes, out);
  if (status == TS_OK) status = ts_stream_synchronize(d.stream);
  ts_fault fault{};
  fault.struct_size = sizeof fault;
  OK(d, ts_stream_fault(d.stream, &fault));
  CHECK(status == TS_DATA_FAULT && fault.kind == TS_FAULT_CODE_RANGE && fault.row == 1 &&
        std::string(fault.op) == "embedding");
  CHECK(out.read() == std::vector<float>({3, 4, 0, 0, 0, 0, 1, 2}));
}

// Everything that the ops give out, on a stream of `threads` threads.
std::vector<float> outputs(Device &device, int threads) {
  Rng rng(99);
  ts_stream *saved = device.stream;
  ts_stream_options options{sizeof options, threads};
  ts_error error{};
  CHECK(ts_stream_open(device.device, &options, &device.stream, &error) == TS_OK);
  std::vector<float> all;
  {
    constexpr int64_t kRows = 5000, kC = 40;
    Tensor<float> x(device, {kRows, kC}, gaussian(rng, kRows * kC)), gamma(device, {kC}, gaussian(rng, kC)),
        dy(device, {kRows, kC}, gaussian(rng, kRows * kC)), y(device, {kRows, kC}), mean(device, {kRows}),
        rstd(device, {kRows}), dgamma(device, {kC}), dbeta(device, {kC});
    std::vector<int32_t> codes;
    for (int64_t i = 0; i < kRows; i++) codes.push_back(static_cast<int32_t>(uniform_int(rng, 0, kC - 1)));
    Tensor<int32_t> targets(device, {kRows}, codes);
    Tensor<double> loss(device, {1});
    OK(device, ts_layer_norm_forward(device.stream, 1e-5, x, gamma, gamma, y, mean, rstd));
    OK(device, ts_layer_norm_backward(device.stream, x, gamma, mean, rstd, dy, dy, dgamma, dbeta));
    OK(device, ts_softmax_cross_entropy(device.stream, 1, x, targets, loss, nullptr, x));
    for (const Tensor<float> *t : {&y, &dy, &dgamma, &dbeta, &x}) {
      std::vector<float> values = t->read();
      all.insert(all.end(), values.begin(), values.end());
    }
    double l = loss.read()[0];
    float halves[2];
    std::memcpy(halves, &l, sizeof l);
    all.insert(all.end(), halves, halves + 2);
  }
  ts_stream_close(device.stream, nullptr);
  device.stream = saved;
  return all;
}

void threads(Device &d) {
  std::vector<float> one = outputs(d, 1);
  for (int t : {2, 3}) {
    std::vector<float> other = outputs(d, t);
    CHECK(one.size() == other.size() && std::memcmp(one.data(), other.data(), one.size() * sizeof(float)) == 0);
  }
}

}  // namespace

int main() {
  run("softmax cross-entropy", softmax);
  run("softmax cross-entropy of a NaN", softmax_of_nan);
  run("targets out of range", targets_out_of_range);
  run("layer normalisation", layer_norm);
  run("embedding", embedding);
  run("the same bits for any number of threads", threads);
  return finish();
}
