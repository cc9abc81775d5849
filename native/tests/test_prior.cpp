// Ops of priors over codes: masked convolutions of codes against a dense float64 convolution of one-hot images, their
// gradient against the sum that defines it, one position against the chain of fma that tessera.h states, bit for bit;
// the gate and its gradient against float64 and differences; draws against their distribution and limits; faults.
#include "harness.h"

using namespace tessera::test;

namespace {

using Doubles = std::vector<double>;

struct Shape {
  int64_t b, h, w, k, o;
  ts_masked_conv_params p;
};

ts_masked_conv_params params(int kernel_h, int kernel_w, int taps, int top, int left, int relu = 0) {
  ts_masked_conv_params p{};
  p.struct_size = sizeof p;
  p.kernel_h = kernel_h, p.kernel_w = kernel_w, p.taps = taps, p.pad_top = top, p.pad_left = left;
  p.activation = relu ? TS_ACTIVATION_RELU : TS_ACTIVATION_NONE;
  return p;
}

std::vector<Shape> shapes() {
  return {{1, 1, 1, 1, 1, params(1, 1, 1, 0, 0)},        {2, 5, 4, 9, 7, params(7, 7, 24, 3, 3)},
          {3, 7, 7, 128, 33, params(7, 7, 24, 3, 3, 1)}, {1, 3, 6, 5, 64, params(3, 3, 5, 1, 1)},
          {2, 4, 4, 11, 17, params(1, 3, 3, 0, 3)},      {2, 6, 3, 4, 129, params(3, 5, 15, 3, 2, 1)},
          {0, 4, 4, 3, 5, params(3, 3, 4, 1, 1)},        {1, 2, 2, 3, 4, params(2, 9, 13, 5, 0)}};
}

size_t size(int64_t n) { return static_cast<size_t>(n); }

// The input index (r, c) of a tap at an output, or false outside of the image.
bool input_of(const Shape &s, int64_t tap, int64_t row, int64_t column, int64_t *r, int64_t *c) {
  *r = row - s.p.pad_top + tap / s.p.kernel_w;
  *c = column - s.p.pad_left + tap % s.p.kernel_w;
  return *r >= 0 && *r < s.h && *c >= 0 && *c < s.w;
}

std::vector<int32_t> random_codes(Rng &rng, int64_t n, int64_t k) {
  std::vector<int32_t> codes(size(n));
  for (int32_t &c : codes) c = static_cast<int32_t>(uniform_int(rng, 0, k - 1));
  return codes;
}

double largest_difference(const std::vector<float> &a, const Doubles &b) {
  double worst = a.size() == b.size() ? 0 : INFINITY;
  for (size_t i = 0; i < b.size() && i < a.size(); i++) {
    double e = std::fabs(static_cast<double>(a[i]) - b[i]);
    worst = std::isnan(e) ? INFINITY : std::max(worst, e);
  }
  return worst;
}

// [B,H,W] to [H,W,B].
std::vector<int32_t> side_by_side(const Shape &s, const std::vector<int32_t> &codes) {
  std::vector<int32_t> out(codes.size());
  int64_t positions = s.h * s.w;
  for (int64_t b = 0; b < s.b; b++)
    for (int64_t p = 0; p < positions; p++) out[size(p * s.b + b)] = codes[size(b * positions + p)];
  return out;
}

void code_convolution(Device &d) {
  Rng rng(seed());
  for (Shape s : shapes()) {
    const int64_t positions = s.h * s.w, taps = s.p.taps;
    std::vector<int32_t> codes = random_codes(rng, s.b * positions, s.k);
    std::vector<float> ws = gaussian(rng, size(taps * s.k * s.o)), bs = gaussian(rng, size(s.o));
    for (bool biased : {true, false}) {
      Doubles exact(size(s.b * positions * s.o));
      for (int64_t out = 0; out < s.b * positions; out++)
        for (int64_t o = 0; o < s.o; o++) {
          double sum = biased ? static_cast<double>(bs[size(o)]) : 0;
          for (int64_t tap = 0, r, c; tap < taps; tap++)
            if (input_of(s, tap, out % positions / s.w, out % s.w, &r, &c))
              sum += static_cast<double>(
                  ws[size((tap * s.k + codes[size(out / positions * positions + r * s.w + c)]) * s.o + o)]);
          exact[size(out * s.o + o)] = s.p.activation == TS_ACTIVATION_RELU ? std::max(sum, 0.0) : sum;
        }
      Tensor<int32_t> z(d, {s.b, s.h, s.w}, codes), aside(d, {s.h, s.w, s.b}, side_by_side(s, codes));
      Tensor<float> w(d, {taps, s.k, s.o}, ws), bias(d, {s.o}, bs), y(d, {s.b, s.h, s.w, s.o}), at(d, {s.b, s.o});
      const ts_tensor *b = biased ? static_cast<const ts_tensor *>(bias) : nullptr;
      OK(d, ts_code_conv2d_forward(d.stream, &s.p, z, w, b, y));
      std::vector<float> ys = y.read();
      CHECK_MSG(largest_difference(ys, exact) < 2e-5, "differs by %g", largest_difference(ys, exact));
      for (s.p.row = 0; s.p.row < s.h; s.p.row++)
        for (s.p.column = 0; s.p.column < s.w; s.p.column++) {
          OK(d, ts_code_conv2d_at(d.stream, &s.p, aside, w, b, at));
          std::vector<float> one = at.read();
          for (int64_t i = 0; i < s.b; i++)
            CHECK(memcmp(&one[size(i * s.o)], &ys[size(((i * s.h + s.p.row) * s.w + s.p.column) * s.o)],
                         size(s.o) * sizeof(float)) == 0);
        }
    }
  }
}

void code_convolution_gradient(Device &d) {
  Rng rng(seed() + 1);
  for (const Shape &s : shapes()) {
    const int64_t positions = s.h * s.w, taps = s.p.taps;
    std::vector<int32_t> codes = random_codes(rng, s.b * positions, s.k);
    std::vector<float> dys = gaussian(rng, size(s.b * positions * s.o));
    Doubles exact(size(taps * s.k * s.o)), exact_bias(size(s.o));
    for (int64_t out = 0; out < s.b * positions; out++)
      for (int64_t o = 0; o < s.o; o++) {
        const auto g = static_cast<double>(dys[size(out * s.o + o)]);
        exact_bias[size(o)] += g;
        for (int64_t tap = 0, r, c; tap < taps; tap++)
          if (input_of(s, tap, out % positions / s.w, out % s.w, &r, &c))
            exact[size((tap * s.k + codes[size(out / positions * positions + r * s.w + c)]) * s.o + o)] += g;
      }
    Tensor<int32_t> z(d, {s.b, s.h, s.w}, codes);
    Tensor<float> dy(d, {s.b, s.h, s.w, s.o}, dys), dw(d, {taps, s.k, s.o}), dbias(d, {s.o}),
        again(d, {taps, s.k, s.o});
    OK(d, ts_code_conv2d_backward_weights(d.stream, &s.p, z, dy, dw, dbias));
    CHECK_MSG(largest_difference(dw.read(), exact) < 1e-4, "dw differs by %g", largest_difference(dw.read(), exact));
    CHECK(largest_difference(dbias.read(), exact_bias) < 1e-4);
    OK(d, ts_code_conv2d_backward_weights(d.stream, &s.p, z, dy, again, nullptr));
    CHECK(again.read() == dw.read());
  }
}

void codes_out_of_range(Device &d) {
  ts_masked_conv_params p = params(1, 2, 2, 0, 1);
  std::vector<float> ws = {1, 2, 10, 20};  // [2 taps, 2 codes, 1]
  for (bool position : {false, true}) {
    Tensor<int32_t> z(d, position ? std::vector<int64_t>{1, 4, 1} : std::vector<int64_t>{1, 1, 4}, {0, 1, 2, -1});
    Tensor<float> w(d, {2, 2, 1}, ws), y(d, {1, 1, 4, 1}), at(d, {1, 1}), dw(d, {2, 2, 1}),
        dy(d, {1, 1, 4, 1}, {1, 1, 1, 1});
    p.column = 3;
    ts_status status = position ? ts_code_conv2d_at(d.stream, &p, z, w, nullptr, at)
                                : ts_code_conv2d_forward(d.stream, &p, z, w, nullptr, y);
    if (status == TS_OK) status = ts_stream_synchronize(d.stream);
    ts_fault fault{};
    fault.struct_size = sizeof fault;
    OK(d, ts_stream_fault(d.stream, &fault));
    CHECK(status == TS_DATA_FAULT && fault.kind == TS_FAULT_CODE_RANGE && fault.row == 2);
    if (position)
      CHECK(at.read() == std::vector<float>{0});
    else
      CHECK(y.read() == (std::vector<float>{10, 21, 2, 0}));
    if (position) continue;
    status = ts_code_conv2d_backward_weights(d.stream, &p, z, dy, dw, nullptr);
    if (status == TS_OK) status = ts_stream_synchronize(d.stream);
    OK(d, ts_stream_fault(d.stream, &fault));
    CHECK(status == TS_DATA_FAULT && fault.kind == TS_FAULT_CODE_RANGE && fault.row == 2);
    CHECK(dw.read() == (std::vector<float>{1, 1, 1, 1}));
  }
}

// The chain of tessera.h, bit for bit; so also the same for any number of images, and on all devices.
void one_position(Device &d) {
  Rng rng(seed() + 2);
  for (Shape s : shapes()) {
    const int64_t taps = s.p.taps, channels = s.k;
    std::vector<float> ws = gaussian(rng, size(taps * channels * s.o)), bs = gaussian(rng, size(s.o));
    std::vector<float> xs = gaussian(rng, size(s.h * s.w * s.b * channels));
    for (int trial = 0; trial < 4; trial++) {
      const bool biased = trial % 2 == 0;
      s.p.row = static_cast<int32_t>(uniform_int(rng, 0, s.h - 1));
      s.p.column = static_cast<int32_t>(uniform_int(rng, 0, s.w - 1));
      Tensor<float> x(d, {s.h, s.w, s.b, channels}, xs), w(d, {taps, channels, s.o}, ws), bias(d, {s.o}, bs),
          y(d, {s.b, s.o});
      OK(d, ts_conv2d_at(d.stream, &s.p, x, w, biased ? static_cast<const ts_tensor *>(bias) : nullptr, y));
      std::vector<float> expected;
      for (int64_t b = 0; b < s.b; b++)
        for (int64_t o = 0; o < s.o; o++) {
          float sum = biased ? bs[size(o)] : 0.0f;
          for (int64_t tap = 0, r, c; tap < taps; tap++)
            if (input_of(s, tap, s.p.row, s.p.column, &r, &c))
              for (int64_t i = 0; i < channels; i++)
                sum = std::fma(xs[size(((r * s.w + c) * s.b + b) * channels + i)],
                               ws[size((tap * channels + i) * s.o + o)], sum);
          expected.push_back(s.p.activation == TS_ACTIVATION_RELU ? std::max(sum, 0.0f) : sum);
        }
      CHECK(y.read() == expected);
    }
  }
  // Batches of every size up to several tiles: row by row what a batch of one gives.
  constexpr int64_t kI = 19, kO = 70, kMost = 15;
  std::vector<float> ws = gaussian(rng, kI * kO), xs = gaussian(rng, kMost * kI);
  ts_masked_conv_params p = params(1, 1, 1, 0, 0);
  Tensor<float> w(d, {1, kI, kO}, ws);
  std::vector<float> alone;
  for (int64_t b = 0; b < kMost; b++) {
    Tensor<float> x(d, {1, 1, 1, kI}, {xs.begin() + b * kI, xs.begin() + (b + 1) * kI}), y(d, {1, kO});
    OK(d, ts_conv2d_at(d.stream, &p, x, w, nullptr, y));
    std::vector<float> row = y.read();
    alone.insert(alone.end(), row.begin(), row.end());
  }
  for (int64_t n = 1; n <= kMost; n++) {
    Tensor<float> x(d, {1, 1, n, kI}, {xs.begin(), xs.begin() + n * kI}), y(d, {n, kO});
    OK(d, ts_conv2d_at(d.stream, &p, x, w, nullptr, y));
    CHECK(y.read() == std::vector<float>(alone.begin(), alone.begin() + n * kO));
  }
  // A NaN stays a NaN behind a ReLU.
  p.activation = TS_ACTIVATION_RELU;
  xs[0] = NAN;
  Tensor<float> x(d, {1, 1, 7, kI}, {xs.begin(), xs.begin() + 7 * kI}), y(d, {7, kO});
  OK(d, ts_conv2d_at(d.stream, &p, x, w, nullptr, y));
  std::vector<float> ys = y.read();
  for (int64_t i = 0; i < 7 * kO; i++) CHECK(std::isnan(ys[size(i)]) == (i < kO));
}

double gate_of(double a, double b) { return std::tanh(a) / (1 + std::exp(-b)); }

void gate(Device &d) {
  Rng rng(seed() + 3);
  struct Size {
    int64_t rows, f, classes, places;
  };
  for (auto [rows, f, classes, places] : {Size{1, 1, 0, 0}, Size{6, 5, 3, 2}, Size{8, 16, 2, 8}, Size{130, 33, 10, 13},
                                          Size{700, 64, 4, 7}, Size{9, 40, 0, 0}}) {
    const int64_t wide = 2 * f;
    std::vector<float> xs = gaussian(rng, size(rows * wide), 3.0f), cs = gaussian(rng, size(classes * wide)),
                       dys = gaussian(rng, size(rows * f));
    if (rows == 8)  // beyond where the exponential overflows, and next to nothing
      for (float v : {200.0f, -200.0f, 3e38f, -3e38f, 1e-30f, -1e-7f, 0.624999f, 0.625001f})
        xs[size(uniform_int(rng, 0, rows * wide - 1))] = v;
    std::vector<int32_t> which = random_codes(rng, places, std::max<int64_t>(1, classes));
    Tensor<float> x(d, {rows, wide}, xs), gates(d, {rows, wide}), y(d, {rows, f}), dy(d, {rows, f}, dys),
        dx(d, {rows, wide}), bias(d, {classes, wide}, cs), dbias(d, {classes, wide});
    Tensor<int32_t> c(d, {places}, which);
    const ts_tensor *none = nullptr, *b = classes ? bias : none, *of = classes ? c : none, *db = classes ? dbias : none;
    OK(d, ts_gate_forward(d.stream, x, b, of, gates, y));
    OK(d, ts_gate_backward(d.stream, gates, dy, of, dx, db));
    Doubles exact(size(rows * f)), exact_dx(size(rows * wide)), exact_db(size(classes * wide));
    for (int64_t r = 0; r < rows; r++) {
      const int64_t k = classes ? which[size(r / (rows / places))] : 0;
      for (int64_t i = 0; i < f; i++) {
        auto at = [&](int64_t j) {
          // The sum as the op has it, in fp32: what rounds it is not the gate's.
          const float sum = xs[size(r * wide + j)] + (classes ? cs[size(k * wide + j)] : 0.0f);
          return static_cast<double>(sum);
        };
        const double a = at(i), g = at(f + i), t = std::tanh(a), s = 1 / (1 + std::exp(-g));
        const auto dyi = static_cast<double>(dys[size(r * f + i)]);
        exact[size(r * f + i)] = gate_of(a, g);
        exact_dx[size(r * wide + i)] = dyi * s * (1 - t * t);
        exact_dx[size(r * wide + f + i)] = dyi * t * s * (1 - s);
        for (int64_t j : {i, f + i})
          if (classes) exact_db[size(k * wide + j)] += exact_dx[size(r * wide + j)];
      }
    }
    CHECK_MSG(largest_difference(y.read(), exact) < 5e-7, "y differs by %g", largest_difference(y.read(), exact));
    CHECK_MSG(largest_difference(dx.read(), exact_dx) < 2e-6, "dx differs by %g",
              largest_difference(dx.read(), exact_dx));
    if (classes)
      CHECK_MSG(largest_difference(dbias.read(), exact_db) < 2e-6 * static_cast<double>(rows),
                "dclass_bias differs by %g", largest_difference(dbias.read(), exact_db));
    std::vector<float> ys = y.read(), dxs = dx.read();
    OK(d, ts_gate_forward(d.stream, x, b, of, x, y));  // in place
    OK(d, ts_gate_backward(d.stream, x, dy, of, x, db));
    CHECK(y.read() == ys && x.read() == dxs);
  }
  // The reference's gradient, by differences.
  for (auto [a, b] : {std::pair{0.3, -0.7}, {-1.1, 0.2}}) {
    const double t = std::tanh(a), s = 1 / (1 + std::exp(-b)), h = 1e-6;
    CHECK(std::fabs((gate_of(a + h, b) - gate_of(a - h, b)) / (2 * h) - s * (1 - t * t)) < 1e-8);
    CHECK(std::fabs((gate_of(a, b + h) - gate_of(a, b - h)) / (2 * h) - t * s * (1 - s)) < 1e-8);
  }
}

void gate_faults(Device &d) {
  Tensor<float> x(d, {4, 2}, {1, 1, 1, 1, 1, 1, NAN, 1}), bias(d, {2, 2}, {0, 0, 0, 0}), gates(d, {4, 2}), y(d, {4, 1});
  Tensor<int32_t> classes(d, {4}, {1, 2, -1, 0});
  ts_status status = ts_gate_forward(d.stream, x, bias, classes, gates, y);
  if (status == TS_OK) status = ts_stream_synchronize(d.stream);
  ts_fault fault{};
  fault.struct_size = sizeof fault;
  OK(d, ts_stream_fault(d.stream, &fault));
  CHECK(status == TS_DATA_FAULT && fault.kind == TS_FAULT_CODE_RANGE && fault.row == 1);
  std::vector<float> ys = y.read();
  CHECK(std::fabs(ys[0] - 0.55677f) < 1e-4f && ys[1] == 0.0f && ys[2] == 0.0f && std::isnan(ys[3]));
  Tensor<float> dy(d, {4, 1}, {1, 1, 1, 1}), dbias(d, {2, 2});
  status = ts_gate_backward(d.stream, gates, dy, classes, gates, dbias);
  if (status == TS_OK) status = ts_stream_synchronize(d.stream);
  OK(d, ts_stream_fault(d.stream, &fault));
  CHECK(status == TS_DATA_FAULT && fault.kind == TS_FAULT_CODE_RANGE && fault.row == 1);
}

ts_sample_params sampling(uint64_t seed, double temperature = 1, int64_t top_k = 1 << 30, double top_p = 1) {
  ts_sample_params p{};
  p.struct_size = sizeof p;
  p.seed = seed, p.temperature = temperature, p.top_k = top_k, p.top_p = top_p;
  return p;
}

void draws(Device &d) {
  Rng rng(seed() + 4);
  // Frequencies of many rows with the same logits, against softmax: 5 standard deviations.
  constexpr int64_t kRows = 4000, kCodes = 6;
  std::vector<float> one = gaussian(rng, kCodes), many;
  one[2] = -INFINITY;  // never
  for (int64_t r = 0; r < kRows; r++) many.insert(many.end(), one.begin(), one.end());
  Tensor<float> logits(d, {kRows, kCodes}, many);
  Tensor<int32_t> codes(d, {kRows});
  struct Limits {
    double temperature;
    int64_t top_k;
    double top_p;
  };
  for (auto [temperature, top_k, top_p] : {Limits{1, 1 << 30, 1}, Limits{2, 1 << 30, 1}, Limits{0.5, 3, 1},
                                           Limits{1, 1 << 30, 0.7}, Limits{1, 4, 0.9}, Limits{1, 1, 1}}) {
    std::vector<int> order(kCodes);
    for (int i = 0; i < kCodes; i++) order[size(i)] = i;
    std::sort(order.begin(), order.end(), [&](int a, int b) { return one[size(a)] > one[size(b)]; });
    Doubles p(kCodes);
    double total = 0, sum = 0;
    int64_t most = std::min<int64_t>(top_k, kCodes);
    for (int64_t i = 0; i < most; i++) total += std::exp(static_cast<double>(one[size(order[size(i)])]) / temperature);
    for (int64_t i = 0; i < most && sum < top_p * total; i++)
      sum += p[size(order[size(i)])] = std::exp(static_cast<double>(one[size(order[size(i)])]) / temperature);
    ts_sample_params params = sampling(seed(), temperature, top_k, top_p);
    OK(d, ts_sample_codes(d.stream, &params, logits, codes));
    std::vector<int32_t> drawn = codes.read();
    for (int32_t k = 0; k < kCodes; k++) {
      const double share = p[size(k)] / sum, n = static_cast<double>(std::count(drawn.begin(), drawn.end(), k));
      CHECK_MSG(std::fabs(n - kRows * share) <= 5 * std::sqrt(kRows * share * (1 - share)) + 1e-9,
                "code %d came %g times of %lld, and its share is %g", k, n, static_cast<long long>(kRows), share);
    }
  }
  // A draw depends on its image and position, not on its row.
  constexpr int64_t kK = 40;
  std::vector<float> xs = gaussian(rng, 20 * kK);
  Tensor<float> all(d, {20, kK}, xs);
  Tensor<int32_t> whole(d, {20});
  ts_sample_params params = sampling(77);
  params.first_image = 0xFFFFFFFFull - 5;  // across 32 bits
  params.position = 3;
  OK(d, ts_sample_codes(d.stream, &params, all, whole));
  std::vector<int32_t> expected = whole.read();
  for (int64_t row = 0; row < 20; row++) {
    Tensor<float> alone(d, {1, kK}, {xs.begin() + row * kK, xs.begin() + (row + 1) * kK});
    Tensor<int32_t> code(d, {1});
    ts_sample_params mine = params;
    mine.first_image += static_cast<uint64_t>(row);
    OK(d, ts_sample_codes(d.stream, &mine, alone, code));
    CHECK(code.read()[0] == expected[size(row)]);
  }
  auto differ = [&](ts_sample_params other) {
    OK(d, ts_sample_codes(d.stream, &other, all, whole));
    return whole.read() != expected;
  };
  ts_sample_params other = params;
  other.position = 4;
  CHECK(differ(other));
  other = params, other.seed = 78;
  CHECK(differ(other));
  // Temperature 0 is the largest, of equal ones the lowest; so is top_k 1.
  Tensor<float> ties(d, {2, 4}, {1, 5, 5, 2, -INFINITY, -3e38f, -INFINITY, -INFINITY});
  Tensor<int32_t> two(d, {2});
  for (ts_sample_params p : {sampling(1, 0), sampling(1, 1, 1), sampling(1, 3, 1 << 30, 1e-9)}) {
    OK(d, ts_sample_codes(d.stream, &p, ties, two));
    CHECK(two.read() == (std::vector<int32_t>{1, 1}));
  }
}

void draw_faults(Device &d) {
  Tensor<float> logits(d, {4, 2}, {0, 100, NAN, 1, INFINITY, 0, -INFINITY, -INFINITY});
  Tensor<int32_t> codes(d, {4});
  ts_sample_params p = sampling(5);
  ts_status status = ts_sample_codes(d.stream, &p, logits, codes);
  if (status == TS_OK) status = ts_stream_synchronize(d.stream);
  ts_fault fault{};
  fault.struct_size = sizeof fault;
  OK(d, ts_stream_fault(d.stream, &fault));
  CHECK(status == TS_DATA_FAULT && fault.kind == TS_FAULT_NONFINITE_ROW && fault.row == 1);
  CHECK(codes.read() == (std::vector<int32_t>{1, -1, -1, -1}));
}

// The words that tessera.h names: u of seed 0, position 0, image 0, from an independent Philox.
void words(Device &d) {
  auto philox = [](uint32_t c0, uint32_t c1, uint32_t c2, uint32_t c3, uint64_t seed) {
    auto k0 = static_cast<uint32_t>(seed), k1 = static_cast<uint32_t>(seed >> 32);
    for (int i = 0; i < 10; i++, k0 += 0x9E3779B9, k1 += 0xBB67AE85) {
      const uint64_t p0 = uint64_t{0xD2511F53} * c0, p1 = uint64_t{0xCD9E8D57} * c2;
      c0 = static_cast<uint32_t>(p1 >> 32) ^ c1 ^ k0, c2 = static_cast<uint32_t>(p0 >> 32) ^ c3 ^ k1;
      c1 = static_cast<uint32_t>(p1), c3 = static_cast<uint32_t>(p0);
    }
    return static_cast<double>((uint64_t{c0 >> 5} << 26) | (c1 >> 6)) * 0x1p-53;
  };
  constexpr int64_t kK = 1000;
  Tensor<float> flat(d, {3, kK}, std::vector<float>(3 * kK, 0.5f));
  Tensor<int32_t> codes(d, {3});
  ts_sample_params p = sampling(0x123456789ABCDEFull);
  p.position = 9, p.first_image = 0x1FFFFFFFFull;
  OK(d, ts_sample_codes(d.stream, &p, flat, codes));
  std::vector<int32_t> drawn = codes.read();
  for (uint64_t i = 0; i < 3; i++) {
    const uint64_t image = p.first_image + i;
    const double u = philox(9, 0x53414D50, static_cast<uint32_t>(image), static_cast<uint32_t>(image >> 32), p.seed);
    CHECK(drawn[i] == static_cast<int32_t>(u * kK));
  }
}

void many_threads(Device &d) {
  std::vector<float> kept[5];
  for (int threads : {1, 2, 3}) {
    Rng rng(31);
    Device mine{d.name, d.device, nullptr};
    ts_stream_options options{sizeof options, threads};
    CHECK(ts_stream_open(d.device, &options, &mine.stream, nullptr) == TS_OK);
    {
      Shape s{20, 7, 7, 30, 96, params(3, 3, 5, 1, 1)};
      Tensor<int32_t> z(mine, {s.b, s.h, s.w}, random_codes(rng, s.b * 49, s.k)),
          c(mine, {s.b}, random_codes(rng, s.b, 3));
      Tensor<float> dy(mine, {s.b, s.h, s.w, s.o}, gaussian(rng, size(s.b * 49 * s.o))), dw(mine, {5, s.k, s.o}),
          dbias(mine, {s.o}), dgates(mine, {s.b * 49, s.o}), dclass(mine, {3, s.o}),
          half(mine, {s.b * 49, s.o / 2}, gaussian(rng, size(s.b * 49 * s.o / 2))),
          x(mine, {1, 1, s.b * 49, s.o}, gaussian(rng, size(s.b * 49 * s.o))),
          w(mine, {1, s.o, 50}, gaussian(rng, size(s.o * 50))), y(mine, {s.b * 49, 50}),
          g(mine, {s.b * 49, s.o}, gaussian(rng, size(s.b * 49 * s.o)));
      ts_masked_conv_params one = params(1, 1, 1, 0, 0);
      OK(mine, ts_code_conv2d_backward_weights(mine.stream, &s.p, z, dy, dw, dbias));
      OK(mine, ts_gate_backward(mine.stream, g, half, c, dgates, dclass));
      OK(mine, ts_conv2d_at(mine.stream, &one, x, w, nullptr, y));
      int i = 0;
      for (const Tensor<float> *t : {&dw, &dbias, &dgates, &dclass, &y}) {
        if (threads == 1) kept[i] = t->read();
        CHECK(t->read() == kept[i]);
        i++;
      }
    }
    CHECK(ts_stream_close(mine.stream, nullptr) == TS_OK);
  }
}

void token_ids(Device &d) {
  Rng rng(seed() + 20);
  for (bool with_classes : {false, true})
    for (auto [batch, positions] : {std::pair<int64_t, int64_t>{0, 3}, {1, 1}, {5, 1}, {3, 49}, {70, 9}}) {
      std::vector<int32_t> codes, classes, expected;
      for (int64_t b = 0; b < batch; b++) {
        classes.push_back(static_cast<int32_t>(uniform_int(rng, 0, 3)));
        expected.push_back(with_classes ? 11 + classes.back() : 11);
        for (int64_t t = 0; t < positions; t++) {
          codes.push_back(static_cast<int32_t>(uniform_int(rng, 0, 10)));
          if (t + 1 < positions) expected.push_back(codes.back());
        }
      }
      Tensor<int32_t> z(d, {batch, positions}, codes), c(d, {batch}, classes), ids(d, {batch, positions});
      OK(d, ts_token_ids(d.stream, 11, with_classes ? 4 : 0, z,
                         with_classes ? static_cast<const ts_tensor *>(c) : nullptr, ids));
      CHECK(ids.read() == expected);
    }
  // Codes and classes out of range; the last code of a sequence is not read.
  Tensor<int32_t> z(d, {3, 3}, {1, 11, 5, 2, -1, 99, 0, 0, 0}), c(d, {3}, {3, 4, -1}), ids(d, {3, 3});
  ts_status status = ts_token_ids(d.stream, 11, 4, z, c, ids);
  if (status == TS_OK) status = ts_stream_synchronize(d.stream);
  ts_fault fault{};
  fault.struct_size = sizeof fault;
  OK(d, ts_stream_fault(d.stream, &fault));
  CHECK(status == TS_DATA_FAULT && fault.kind == TS_FAULT_CODE_RANGE && fault.row == 2 &&
        std::string(fault.op) == "token_ids");
  CHECK(ids.read() == std::vector<int32_t>({14, 1, -1, -1, 2, -1, -1, 0, 0}));
  CHECK(ts_token_ids(d.stream, 11, 0, z, c, ids) == TS_INVALID_ARGUMENT);
  CHECK(ts_token_ids(d.stream, 11, 4, z, nullptr, ids) == TS_INVALID_ARGUMENT);
  CHECK(ts_token_ids(d.stream, 0, 4, z, c, ids) == TS_INVALID_ARGUMENT);
  CHECK(ts_token_ids(d.stream, INT32_MAX, 1, z, c, ids) == TS_INVALID_ARGUMENT);
}

}  // namespace

int main() {
  run("convolution of codes", code_convolution);
  run("its gradient", code_convolution_gradient);
  run("codes out of range", codes_out_of_range);
  run("one position, bit for bit", one_position);
  run("gate", gate);
  run("classes out of range, NaN in the gate", gate_faults);
  run("what a transformer reads", token_ids);
  run("draws", draws);
  run("random words of a draw", words);
  run("rows that nothing can be drawn from", draw_faults);
  run("the same bits for any number of threads", many_threads, 2, For::kCpu);
  return finish();
}
