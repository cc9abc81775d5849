// Causal attention forward and backward against float64, whose gradient is checked by finite differences; that no
// position sees a later one, to the last bit; one position at a time against all at once, and the same bits for any
// batch, cache and number of threads.
#include "harness.h"

using namespace tessera::test;

namespace {

using Doubles = std::vector<double>;
using Floats = std::vector<float>;

struct Shape {
  int64_t batch, positions, heads, dim;
  int64_t channels() const { return heads * dim; }
  size_t size() const { return static_cast<size_t>(batch * positions * channels()); }
};

// y and lse in float64.
struct Forward {
  Doubles y, lse;
};

Forward reference(const Shape &s, const Doubles &qkv) {
  const int64_t c = s.channels();
  Forward f{Doubles(s.size()), Doubles(static_cast<size_t>(s.batch * s.heads * s.positions))};
  for (int64_t b = 0; b < s.batch; b++)
    for (int64_t h = 0; h < s.heads; h++)
      for (int64_t t = 0; t < s.positions; t++) {
        const double *q = qkv.data() + (b * s.positions + t) * 3 * c + h * s.dim;
        Doubles score(static_cast<size_t>(t + 1));
        double most = -INFINITY, sum = 0;
        for (int64_t j = 0; j <= t; j++) {
          const double *k = qkv.data() + (b * s.positions + j) * 3 * c + c + h * s.dim;
          double &x = score[static_cast<size_t>(j)];
          for (int64_t i = 0; i < s.dim; i++) x += q[i] * k[i];
          x /= std::sqrt(static_cast<double>(s.dim));
          most = std::max(most, x);
        }
        for (double x : score) sum += std::exp(x - most);
        f.lse[static_cast<size_t>((b * s.heads + h) * s.positions + t)] = most + std::log(sum);
        double *y = f.y.data() + (b * s.positions + t) * c + h * s.dim;
        for (int64_t j = 0; j <= t; j++) {
          const double *v = qkv.data() + (b * s.positions + j) * 3 * c + 2 * c + h * s.dim;
          const double p = std::exp(score[static_cast<size_t>(j)] - most) / sum;
          for (int64_t i = 0; i < s.dim; i++) y[i] += p * v[i];
        }
      }
  return f;
}

Doubles reference_gradient(const Shape &s, const Doubles &qkv, const Doubles &dy) {
  const Forward f = reference(s, qkv);
  const int64_t c = s.channels();
  const double scale = 1 / std::sqrt(static_cast<double>(s.dim));
  Doubles g(qkv.size());
  for (int64_t b = 0; b < s.batch; b++)
    for (int64_t h = 0; h < s.heads; h++)
      for (int64_t t = 0; t < s.positions; t++) {
        const int64_t row = b * s.positions + t;
        const double *q = qkv.data() + row * 3 * c + h * s.dim, *d = dy.data() + row * c + h * s.dim;
        const double *y = f.y.data() + row * c + h * s.dim;
        double delta = 0;
        for (int64_t i = 0; i < s.dim; i++) delta += d[i] * y[i];
        for (int64_t j = 0; j <= t; j++) {
          const int64_t at = (b * s.positions + j) * 3 * c + c + h * s.dim;
          double score = 0, dp = 0;
          for (int64_t i = 0; i < s.dim; i++) {
            score += q[i] * qkv[static_cast<size_t>(at + i)];
            dp += d[i] * qkv[static_cast<size_t>(at + c + i)];
          }
          const double p = std::exp(score * scale - f.lse[static_cast<size_t>((b * s.heads + h) * s.positions + t)]);
          const double ds = p * (dp - delta) * scale;
          for (int64_t i = 0; i < s.dim; i++) {
            g[static_cast<size_t>(row * 3 * c + h * s.dim + i)] += ds * qkv[static_cast<size_t>(at + i)];
            g[static_cast<size_t>(at + i)] += ds * q[i];
            g[static_cast<size_t>(at + c + i)] += p * d[i];
          }
        }
      }
  return g;
}

double worst(const Floats &a, const Doubles &b) {
  double most = 0;
  for (size_t i = 0; i < b.size(); i++) {
    double e = std::fabs(static_cast<double>(a[i]) - b[i]) / (1 + std::fabs(b[i]));
    most = std::isnan(e) ? INFINITY : std::max(most, e);
  }
  return most;
}

Doubles exact(const Floats &x) { return {x.begin(), x.end()}; }

struct Result {
  Floats y, lse, dqkv;
};

Result compute(Device &d, const Shape &s, const Floats &qkv, const Floats &dy) {
  const int64_t c = s.channels();
  Tensor<float> x(d, {s.batch, s.positions, 3 * c}, qkv), y(d, {s.batch, s.positions, c}),
      lse(d, {s.batch, s.heads, s.positions}), g(d, {s.batch, s.positions, c}, dy),
      dx(d, {s.batch, s.positions, 3 * c});
  const auto heads = static_cast<int32_t>(s.heads);
  OK(d, ts_attention_forward(d.stream, heads, x, y, lse));
  OK(d, ts_attention_backward(d.stream, heads, x, y, lse, g, dx));
  return {y.read(), lse.read(), dx.read()};
}

void against_float64(Device &d, const std::vector<Shape> &shapes, float size) {
  Rng rng(seed());
  for (const Shape &s : shapes) {
    Floats qkv = gaussian(rng, 3 * s.size(), size), dy = gaussian(rng, s.size());
    const Result r = compute(d, s, qkv, dy);
    const Forward f = reference(s, exact(qkv));
    const double error = worst(r.y, f.y), lse_error = worst(r.lse, f.lse),
                 gradient_error = worst(r.dqkv, reference_gradient(s, exact(qkv), exact(dy)));
    CHECK_MSG(error < 4e-6 * size * size && lse_error < 2e-6 * size && gradient_error < 2e-5 * size * size,
              "[%lld,%lld,%lld,%lld]: y differs by %g, lse by %g, the gradient by %g", static_cast<long long>(s.batch),
              static_cast<long long>(s.positions), static_cast<long long>(s.heads), static_cast<long long>(s.dim),
              error, lse_error, gradient_error);
  }
}

void shapes(Device &d) {
  against_float64(d,
                  {{0, 5, 2, 4},
                   {2, 0, 2, 4},
                   {1, 1, 1, 1},
                   {2, 1, 2, 16},
                   {1, 2, 1, 3},
                   {2, 7, 3, 5},
                   {1, 17, 2, 8},
                   {2, 31, 1, 32},
                   {1, 32, 2, 33},
                   {1, 33, 1, 64},
                   {2, 49, 4, 16},
                   {1, 64, 1, 20},
                   {1, 65, 1, 100},
                   {1, 70, 2, 128}},
                  1);
}

void long_sequences(Device &d) {
  if (d.is_emulated())
    against_float64(d, {{1, 161, 1, 24}}, 1);
  else
    against_float64(d, {{1, 500, 2, 40}, {1, 1024, 1, 64}}, 1);
}

// Scores of several hundred, of which exp would overflow or vanish.
void large_scores(Device &d) { against_float64(d, {{1, 40, 2, 24}}, 12); }

void reference_by_differences(Device &) {
  Rng rng(seed() + 1);
  const Shape s{1, 6, 2, 3};
  const Doubles qkv = exact(gaussian(rng, 3 * s.size())), dy = exact(gaussian(rng, s.size()));
  const Doubles g = reference_gradient(s, qkv, dy);
  auto objective = [&](const Doubles &x) {
    const Doubles y = reference(s, x).y;
    double sum = 0;
    for (size_t i = 0; i < y.size(); i++) sum += y[i] * dy[i];
    return sum;
  };
  for (size_t i = 0; i < qkv.size(); i++) {
    Doubles up = qkv, down = qkv;
    up[i] += 1e-5, down[i] -= 1e-5;
    const double slope = (objective(up) - objective(down)) / 2e-5;
    CHECK_MSG(std::fabs(slope - g[i]) < 1e-8, "element %zu: %g, not %g", i, g[i], slope);
  }
}

bool same_bits(const Floats &a, const Floats &b) {
  return a.size() == b.size() && std::memcmp(a.data(), b.data(), a.size() * sizeof(float)) == 0;
}

// y and lse of positions before t are the same bits whatever stands at t: another number, or a NaN.
void causality(Device &d) {
  Rng rng(seed() + 2);
  const Shape s{2, d.is_emulated() ? 34 : 49, 2, 12};
  const int64_t c = s.channels();
  const Floats qkv = gaussian(rng, 3 * s.size()), dy = gaussian(rng, s.size());
  const Result before = compute(d, s, qkv, dy);
  for (int64_t t = 0; t < s.positions; t++)
    for (bool nan : {false, true}) {
      Floats changed = qkv;
      for (int64_t i = 0; i < 3 * c; i++)  // of the first image only
        changed[static_cast<size_t>(t * 3 * c + i)] = nan ? NAN : changed[static_cast<size_t>(t * 3 * c + i)] + 1;
      const Result after = compute(d, s, changed, dy);
      for (int64_t p = 0; p < s.batch * s.positions; p++) {
        const bool sees = p < s.positions && p >= t;
        const auto at = static_cast<size_t>(p * c);
        const bool same = std::memcmp(&before.y[at], &after.y[at], static_cast<size_t>(c) * sizeof(float)) == 0;
        CHECK_MSG(same != sees, "position %lld of image %lld %s what stands at %lld",
                  static_cast<long long>(p % s.positions), static_cast<long long>(p / s.positions),
                  same ? "does not see" : "sees", static_cast<long long>(t));
      }
      for (int64_t h = 0; h < s.heads; h++)
        for (int64_t p = 0; p < t; p++)
          CHECK(before.lse[static_cast<size_t>(h * s.positions + p)] ==
                after.lse[static_cast<size_t>(h * s.positions + p)]);
    }
}

// y of each position, one after the other, of images [first, first + count) of qkv, with a cache of `room` positions.
std::vector<Floats> by_steps(Device &d, const Shape &s, const Floats &qkv, int64_t first, int64_t count, int64_t room) {
  const int64_t c = s.channels();
  Tensor<float> cache(d, {count, room, 2 * c});  // all NaN
  std::vector<Floats> ys;
  for (int64_t t = 0; t < s.positions; t++) {
    Floats row;
    for (int64_t b = first; b < first + count; b++) {
      auto at = qkv.begin() + (b * s.positions + t) * 3 * c;
      row.insert(row.end(), at, at + 3 * c);
    }
    Tensor<float> x(d, {count, 3 * c}, row), y(d, {count, c});
    OK(d, ts_attention_step(d.stream, static_cast<int32_t>(s.heads), t, x, cache, y));
    ys.push_back(y.read());
  }
  return ys;
}

void steps(Device &d) {
  Rng rng(seed() + 3);
  const bool emulated = d.is_emulated();
  for (const Shape &s : {Shape{7, 20, 2, 8}, Shape{3, 9, 3, 5}, Shape{2, emulated ? 133 : 300, 1, 64},
                         Shape{2, 4, 1, 128}, Shape{2, 5, 2, 33}}) {
    const int64_t c = s.channels();
    const Floats qkv = gaussian(rng, 3 * s.size());
    const Forward f = reference(s, exact(qkv));
    const std::vector<Floats> all = by_steps(d, s, qkv, 0, s.batch, s.positions);
    for (int64_t t = 0; t < s.positions; t++) {
      Doubles expected;
      for (int64_t b = 0; b < s.batch; b++) {
        auto at = f.y.begin() + (b * s.positions + t) * c;
        expected.insert(expected.end(), at, at + c);
      }
      const double error = worst(all[static_cast<size_t>(t)], expected);
      CHECK_MSG(error < 4e-6, "position %lld differs by %g", static_cast<long long>(t), error);
    }
    for (int64_t b = 0; b < s.batch; b++) {
      const std::vector<Floats> alone = by_steps(d, s, qkv, b, 1, s.positions + 3);
      for (size_t t = 0; t < alone.size(); t++)
        CHECK_MSG(std::memcmp(alone[t].data(), &all[t][static_cast<size_t>(b * c)], alone[t].size() * 4) == 0,
                  "image %lld at position %zu depends on the batch", static_cast<long long>(b), t);
    }
  }
}

void threads(Device &d) {
  Rng rng(seed() + 4);
  const Shape s{3, 50, 2, 24};
  const Floats qkv = gaussian(rng, 3 * s.size()), dy = gaussian(rng, s.size());
  const Result one = compute(d, s, qkv, dy);
  const std::vector<Floats> one_by_one = by_steps(d, s, qkv, 0, 3, 50);
  for (int threads : {2, 3}) {
    ts_stream_options options{sizeof options, threads};
    Device on{d.name, d.device, nullptr};
    CHECK(ts_stream_open(d.device, &options, &on.stream, nullptr) == TS_OK);
    const Result other = compute(on, s, qkv, dy);
    CHECK(same_bits(one.y, other.y) && same_bits(one.lse, other.lse) && same_bits(one.dqkv, other.dqkv));
    CHECK(by_steps(on, s, qkv, 0, 3, 50) == one_by_one);
    ts_stream_close(on.stream, nullptr);
  }
}

}  // namespace

int main() {
  run("the reference's gradient", reference_by_differences, 1, For::kCpu);
  run("shapes", shapes);
  run("long sequences", long_sequences);
  run("large scores", large_scores);
  run("no position sees a later one", causality);
  run("one position at a time", steps);
  run("the same bits for any number of threads", threads, 1);
  return finish();
}
