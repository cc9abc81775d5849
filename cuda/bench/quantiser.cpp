// The quantiser's ops: nearest codes for several K, beside the formula that writes all distances to memory, then what
// follows a search.
#include <algorithm>

#include "materialised.h"
#include "test_vq_reference.h"

namespace tessera::bench {
namespace {

using test::Codebook;
using test::contract_distance;
using test::Rng;
using test::uniform_int;

std::string shape_of(int64_t n, int64_t k, int64_t d) {
  return text("N=%lld K=%lld D=%lld", static_cast<long long>(n), static_cast<long long>(k), static_cast<long long>(d));
}

// Rows near codes, as an encoder's are.
struct Problem {
  int64_t n, k, d;
  std::vector<float> code_values;
  Tensor<float> book, x;
  Tensor<int32_t> codes;

  Problem(Device &device, Rng &rng, int64_t n, int64_t k, int64_t d)
      : n(n),
        k(k),
        d(d),
        code_values(test::gaussian(rng, static_cast<size_t>(k * d))),
        book(device, {k, d}, code_values),
        x(device, {n, d}),
        codes(device, {n}) {
    std::vector<int32_t> drawn(static_cast<size_t>(n));
    for (int32_t &code : drawn) code = static_cast<int32_t>(uniform_int(rng, 0, k - 1));
    const Tensor<int32_t> near(device, {n}, drawn);
    const Tensor<float> noise(device, {n, d});
    randomize(device, noise, 4, -0.8f, 0.8f);
    const Codebook handle(device, code_values, k, d);
    OK(device, ts_vq_gather(device.stream, handle.handle, near, x));
    OK(device, ts_axpby(device.stream, 1.0, noise, 1.0, x));
    OK(device, ts_stream_synchronize(device.stream));
  }

  Work search(Unit unit) const {
    const auto rows = static_cast<double>(n), codes_ = static_cast<double>(k), dim = static_cast<double>(d);
    return {rows * (4 * dim + 4) + codes_ * 4 * dim, 2 * rows * codes_ * dim, unit};
  }
};

// Some rows, all where there are few, by the contract's float64.
void check_codes(const Problem &p, const std::vector<float> &x, const std::vector<int32_t> &codes, const char *family) {
  Rng rng(test::seed());
  const int64_t most = std::min<int64_t>(p.n, std::max<int64_t>(64, (int64_t{1} << 30) / (p.k * p.d) / 4));
  int64_t wrong = 0;
  for (int64_t i = 0; i < std::min<int64_t>(most, 4096); i++) {
    const int64_t row = most == p.n ? i : uniform_int(rng, 0, p.n - 1);
    const std::vector<float> one(x.begin() + row * p.d, x.begin() + (row + 1) * p.d);
    wrong += test::brute_force(one, p.code_values, 1, p.k, p.d)[0] != codes[static_cast<size_t>(row)];
  }
  CHECK_MSG(wrong == 0, "%s: %lld codes are not the nearest", family, static_cast<long long>(wrong));
}

void measure_search(Bench &bench, const Problem &p, const std::vector<float> &x, const char *family) {
  Device &device = bench.device;
  const Codebook book(device, p.code_values, p.k, p.d, family);
  if (!CHECK_MSG(book.handle != nullptr, "%s is not there", family)) return;
  auto search = [&] { OK(device, ts_vq_assign(device.stream, book.handle, p.x, p.codes)); };
  ts_vq_stats stats{};
  stats.struct_size = sizeof stats;
  OK(device, ts_vq_statistics(device.stream, 1, &stats));
  search();
  OK(device, ts_vq_statistics(device.stream, 1, &stats));
  check_codes(p, x, p.codes.read(), stats.kernel);
  const auto rows = static_cast<double>(std::max<uint64_t>(1, stats.rows));
  const Unit unit = stats.kernel == std::string("fp16-mma") ? Unit::kFp16 : Unit::kFp32;
  bench.measure(text("assign %s", stats.kernel), shape_of(p.n, p.k, p.d), p.search(unit), search,
                text("%.3f codes left a row, %.3f %% in float64", static_cast<double>(stats.candidates) / rows,
                     100 * static_cast<double>(stats.rescored_rows + stats.scanned_rows) / rows));
}

void measure_materialised(Bench &bench, const Problem &p, const std::vector<float> &x) {
  Tensor<int32_t> nearest(bench.device, {p.n});
  std::string how;
  const double seconds = materialised_search(bench, p.x, p.book, p.code_values, p.n, p.k, p.d, nearest, &how);
  const std::vector<int32_t> plain = nearest.read(), exact = p.codes.read();
  int64_t others = 0;
  for (int64_t i = 0; i < p.n; i++) {
    const auto at = static_cast<size_t>(i);
    if (plain[at] == exact[at]) continue;
    others++;
    if (!CHECK_MSG(plain[at] >= 0 && plain[at] < p.k, "materialised: code %d of row %lld", plain[at],
                   static_cast<long long>(i)))
      return;
    const float *row = x.data() + i * p.d;
    const double mine = contract_distance(row, p.code_values.data() + plain[at] * p.d, p.d),
                 best = contract_distance(row, p.code_values.data() + exact[at] * p.d, p.d);
    CHECK_MSG(mine <= best * 1.001 + 1e-3, "materialised: row %lld is %g away, the nearest code %g",
              static_cast<long long>(i), mine, best);
  }
  bench.line("materialised", shape_of(p.n, p.k, p.d), seconds, p.search(Unit::kFp32),
             text("%s; %lld codes are not the nearest", how.c_str(), static_cast<long long>(others)));
}

// What follows a search, and the whole of it.
void measure_around(Bench &bench, const Problem &p, const std::vector<float> &x) {
  Device &device = bench.device;
  const Codebook book(device, p.code_values, p.k, p.d);
  const Tensor<float> quantized(device, {p.n, p.d}), gathered(device, {p.n, p.d}), sums(device, {p.k, p.d}),
      grad(device, {p.n, p.d});
  const Tensor<int32_t> counts(device, {p.k});
  const Tensor<double> error(device, {1});
  const std::string shape = shape_of(p.n, p.k, p.d);
  const auto rows = static_cast<double>(p.n), dim = static_cast<double>(p.d), all = rows * dim,
             codes = static_cast<double>(p.k) * dim;
  auto assign = [&] { OK(device, ts_vq_assign(device.stream, book.handle, p.x, p.codes)); };
  auto gather = [&] { OK(device, ts_vq_gather(device.stream, book.handle, p.codes, gathered)); };
  auto scatter = [&] { OK(device, ts_vq_scatter(device.stream, p.x, p.codes, counts, sums)); };
  auto quantize = [&] {
    OK(device, ts_vq_quantize(device.stream, book.handle, p.x, p.codes, quantized, error, counts, sums));
  };
  assign();
  gather();
  const std::vector<int32_t> assigned = p.codes.read();
  const std::vector<float> vectors = gathered.read();
  std::vector<float> expected(vectors.size());
  for (size_t i = 0; i < assigned.size(); i++)
    std::copy_n(p.code_values.begin() + assigned[i] * p.d, p.d, expected.begin() + static_cast<int64_t>(i) * p.d);
  CHECK_MSG(vectors == expected, "gather: a row is not its code");

  // The contract's order: bits, not bounds.
  std::vector<int32_t> plain_counts;
  std::vector<float> plain_sums;
  test::plain_scatter(x, assigned, p.n, p.k, p.d, &plain_counts, &plain_sums);
  scatter();
  CHECK_MSG(counts.read() == plain_counts, "scatter: counts differ");
  CHECK_MSG(sums.read() == plain_sums, "scatter: sums differ");
  double plain_error = 0;
  for (int64_t first = 0; first < p.n; first += 1024) {
    double block = 0;
    for (int64_t i = first; i < std::min(p.n, first + 1024); i++)
      block += contract_distance(x.data() + i * p.d, expected.data() + i * p.d, p.d);
    plain_error += block;
  }
  quantize();
  CHECK_MSG(p.codes.read() == assigned, "quantize: codes differ from assign's");
  CHECK_MSG(quantized.read() == expected, "quantize: a row is not its code");
  CHECK_MSG(counts.read() == plain_counts && sums.read() == plain_sums, "quantize: counts or sums differ");
  CHECK_MSG(error.read()[0] == plain_error, "quantize: squared error %.17g, not %.17g", error.read()[0], plain_error);

  ts_vq_stats stats{};
  stats.struct_size = sizeof stats;
  OK(device, ts_vq_statistics(device.stream, 1, &stats));
  Work whole = p.search(stats.kernel == std::string("fp16-mma") ? Unit::kFp16 : Unit::kFp32);
  whole.bytes += 4 * all + 4 * codes;
  bench.measure("quantize + update", shape, whole, quantize, "assign, gather, squared error, scatter-update");
  bench.measure("gather", shape, {4 * rows + 4 * all + 4 * codes, 0, Unit::kNone}, gather);
  bench.measure("scatter-update", shape, {4 * rows + 4 * all + 4 * codes, 0, Unit::kNone}, scatter);

  auto backward = [&] { OK(device, ts_vq_backward(device.stream, 0.25, p.x, quantized, gathered, grad)); };
  backward();
  const std::vector<float> gradient = grad.read();
  for (size_t i = 0; i < gradient.size(); i += 1 + gradient.size() / 1000) {
    const double one = static_cast<double>(expected[i]) +
                       0.25 * 2 * (static_cast<double>(x[i]) - static_cast<double>(expected[i])) / all;
    CHECK_MSG(std::fabs(static_cast<double>(gradient[i]) - one) <= 1e-6 * (1 + std::fabs(one)), "backward: element %zu",
              i);
  }
  bench.measure("straight-through", shape, {16 * all, 0, Unit::kNone}, backward);

  const Tensor<float> hidden_counts(device, {p.k}, std::vector<float>(static_cast<size_t>(p.k))),
      hidden_sums(device, {p.k, p.d}, std::vector<float>(static_cast<size_t>(p.k * p.d)));
  ts_vq_ema_params params{sizeof(ts_vq_ema_params), 0, 1, 0.99, 1e-5};
  auto update = [&] {
    OK(device, ts_vq_ema_update(device.stream, book.handle, &params, counts, sums, hidden_counts, hidden_sums));
    params.step++;
  };
  update();
  // After one step the bias-corrected averages are the batch's counts and sums.
  const Tensor<float> updated(device, {p.k, p.d});
  OK(device, ts_codebook_read(device.stream, book.handle, updated));
  const std::vector<float> codes_now = updated.read();
  for (int64_t k = 0; k < p.k; k++) {
    const double smoothed =
        (plain_counts[static_cast<size_t>(k)] + 1e-5) / (rows + static_cast<double>(p.k) * 1e-5) * rows;
    for (int64_t j = 0; j < p.d; j++) {
      const auto at = static_cast<size_t>(k * p.d + j);
      const double code = static_cast<double>(plain_sums[at]) / smoothed;
      if (!CHECK_MSG(std::fabs(static_cast<double>(codes_now[at]) - code) <= 1e-5 * (1 + std::fabs(code)),
                     "ema: code %lld is %g, not %g", static_cast<long long>(k), static_cast<double>(codes_now[at]),
                     code))
        break;
    }
  }
  bench.measure("ema update, packing", text("K=%lld D=%lld", static_cast<long long>(p.k), static_cast<long long>(p.d)),
                {18 * codes, 0, Unit::kNone}, update, "nine small launches");
}

}  // namespace

void measure_quantiser(Bench &bench) {
  Rng rng(test::seed());
  for (const int64_t k : bench.sizes.codes) {
    const Problem p(bench.device, rng, bench.sizes.rows, k, bench.sizes.dim);
    const std::vector<float> x = p.x.read();
    measure_search(bench, p, x, "fp16-mma");
    if (k <= 1024) measure_search(bench, p, x, "fp32-simt");
    if (k <= 8192) measure_materialised(bench, p, x);
  }
  const Problem p(bench.device, rng, bench.sizes.rows, bench.sizes.few_codes, bench.sizes.dim);
  measure_around(bench, p, p.x.read());
}

}  // namespace tessera::bench
