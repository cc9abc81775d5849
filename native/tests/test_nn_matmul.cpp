// Matrix products, transposed and not, with bias, ReLU or accumulation, against float64; sizes from 0.
#include "test_nn_reference.h"

using namespace tessera::test;

namespace {

template <class T>
std::vector<T> product(const ts_matmul_params &p, int64_t m, int64_t n, int64_t k, const std::vector<T> &a,
                       const std::vector<T> &b) {
  std::vector<T> c(static_cast<size_t>(m * n));
  for (int64_t i = 0; i < m; i++)
    for (int64_t j = 0; j < n; j++)
      for (int64_t l = 0; l < k; l++)
        c[i * n + j] += a[p.transpose_a ? l * m + i : i * k + l] * b[p.transpose_b ? j * k + l : l * n + j];
  return c;
}

// ts_matmul_params, and whether there is a bias.
struct Form {
  int32_t transpose_a, transpose_b, accumulate, relu;
  bool biased;
};

void one(Device &dev, Rng &rng, int64_t m, int64_t n, int64_t k, const Form &form) {
  const ts_matmul_params p{sizeof p, form.transpose_a, form.transpose_b, form.accumulate, form.relu, 0};
  const bool biased = form.biased;
  auto a = gaussian(rng, static_cast<size_t>(m * k)), b = gaussian(rng, static_cast<size_t>(k * n));
  auto bias = biased ? gaussian(rng, static_cast<size_t>(n)) : std::vector<float>();
  auto c0 = gaussian(rng, static_cast<size_t>(m * n));

  auto da = p.transpose_a ? std::vector<int64_t>{k, m} : std::vector<int64_t>{m, k};
  auto db = p.transpose_b ? std::vector<int64_t>{n, k} : std::vector<int64_t>{k, n};
  Tensor<float> ta(dev, da, a), tb(dev, db, b), poison(dev, {m, n}), started(dev, {m, n}, c0);
  Tensor<float> tbias(dev, {n}, biased ? bias : std::vector<float>(static_cast<size_t>(n)));
  const Tensor<float> &c = p.accumulate ? started : poison;
  const ts_tensor *none = nullptr;
  OK(dev, ts_matmul(dev.stream, &p, ta, tb, biased ? tbias : none, c));

  auto complete = [&](auto y, const auto &start, const auto &bias_values, bool relu) {
    if (p.accumulate)
      for (size_t i = 0; i < y.size(); i++) y[i] += start[i];
    return finish(y, bias_values, relu);
  };
  auto exact =
      complete(product(p, m, n, k, as<double>(a), as<double>(b)), as<double>(c0), as<double>(bias), p.activation);
  auto plain = complete(product(p, m, n, k, a, b), c0, bias, p.activation);
  auto magnitude = complete(product(p, m, n, k, absolute(a), absolute(b)), absolute(c0), absolute(bias), false);
  double error = error_of(c.read(), exact, magnitude), plain_error = error_of(plain, exact, magnitude);
  CHECK_MSG(error <= bound_of(plain_error), "%lldx%lldx%lld ta %d tb %d acc %d relu %d bias %d: error %.2f, plain %.2f",
            static_cast<long long>(m), static_cast<long long>(n), static_cast<long long>(k), p.transpose_a,
            p.transpose_b, p.accumulate, p.activation, biased, error, plain_error);
}

void one(Device &dev, Rng &rng, int64_t m, int64_t n, int64_t k) {
  auto flag = [&] { return static_cast<int32_t>(uniform_int(rng, 0, 1)); };
  const int32_t accumulate = flag();
  one(dev, rng, m, n, k, {flag(), flag(), accumulate, accumulate ? 0 : flag(), !accumulate && flag()});
}

void sizes(Device &dev) {
  Rng rng(seed());
  for (int i = 0; i < 60; i++)
    one(dev, rng, uniform_int(rng, 1, 70), uniform_int(rng, 1, 70), uniform_int(rng, 1, 300));
  for (int i = 0; i < 12; i++) one(dev, rng, uniform_int(rng, 0, 4), uniform_int(rng, 0, 4), uniform_int(rng, 0, 2));
  for (int i = 0; i < 4; i++) one(dev, rng, 5, 7, 0);
  // More than a tile of a kernel either way, and sums that a kernel may split.
  for (int i = 0; i < 4; i++) {
    one(dev, rng, uniform_int(rng, 129, 200), 4 * uniform_int(rng, 33, 70), uniform_int(rng, 1, 40));
    one(dev, rng, uniform_int(rng, 129, 300), uniform_int(rng, 1, 32), uniform_int(rng, 500, 900));
    one(dev, rng, uniform_int(rng, 1, 32), uniform_int(rng, 129, 300), uniform_int(rng, 500, 900));
  }
}

// Products that are large enough for panels (cpu/kernels/panel_matmul.h), in every form: more than one chunk of k, a
// part of a tile and of a panel at the end, and gradients by weights of either shape and of more than one block.
void large(Device &dev) {
  Rng rng(seed() + 2);
  const Form forms[] = {{0, 0, 1, 0, false}, {0, 0, 0, 1, true}, {0, 1, 0, 0, true}};
  for (Form form : forms) {
    one(dev, rng, uniform_int(rng, 512, 620), uniform_int(rng, 97, 200), uniform_int(rng, 1400, 1700), form);
    one(dev, rng, uniform_int(rng, 2000, 2200), uniform_int(rng, 130, 191), uniform_int(rng, 260, 290), form);
    form.transpose_a = 1;
    one(dev, rng, uniform_int(rng, 64, 100), uniform_int(rng, 520, 700), uniform_int(rng, 500, 900), form);
    one(dev, rng, uniform_int(rng, 1040, 1200), uniform_int(rng, 33, 100), uniform_int(rng, 500, 900), form);
  }
}

std::vector<float> product_on(Device &dev, const ts_matmul_params &p, int64_t m, int64_t n, int64_t k,
                              const std::vector<float> &a, const std::vector<float> &b,
                              const std::vector<float> &bias) {
  auto da = p.transpose_a ? std::vector<int64_t>{k, m} : std::vector<int64_t>{m, k};
  auto db = p.transpose_b ? std::vector<int64_t>{n, k} : std::vector<int64_t>{k, n};
  Tensor<float> ta(dev, da, a), tb(dev, db, b), tbias(dev, {n}, bias), c(dev, {m, n});
  OK(dev, ts_matmul(dev.stream, &p, ta, tb, tbias, c));
  return c.read();
}

// Large products have the same bits on any number of threads, which share out rows or, if they are many, columns.
void any_threads(Device &dev) {
  Rng rng(seed() + 3);
  for (int32_t ta : {0, 1}) {
    const int64_t m = ta ? 200 : 1100, n = 300, k = ta ? 900 : 410;
    auto a = gaussian(rng, static_cast<size_t>(m * k)), b = gaussian(rng, static_cast<size_t>(k * n)),
         bias = gaussian(rng, static_cast<size_t>(n));
    const ts_matmul_params p{sizeof p, ta, 0, 0, 1, 0};
    const auto expected = product_on(dev, p, m, n, k, a, b, bias);
    for (int32_t threads : {1, 3, 7, 30}) {
      Device other = dev;
      ts_stream_options options{};
      options.struct_size = sizeof options;
      options.threads = threads;
      ts_error error{};
      if (!CHECK(ts_stream_open(dev.device, &options, &other.stream, &error) == TS_OK)) return;
      CHECK_MSG(product_on(other, p, m, n, k, a, b, bias) == expected, "transposed %d, %d threads", ta, threads);
      ts_stream_close(other.stream, nullptr);
    }
  }
}

// A column of c is the same among many others, which are more than a kernel packs at once, as among few.
void many_columns(Device &dev) {
  Rng rng(seed() + 4);
  const int64_t m = 530, n = 2300, some = 400, k = 1000;
  auto a = gaussian(rng, static_cast<size_t>(m * k)), b = gaussian(rng, static_cast<size_t>(n * k)),
       bias = gaussian(rng, static_cast<size_t>(n));
  const ts_matmul_params p{sizeof p, 0, 1, 0, 1, 0};
  const auto all = product_on(dev, p, m, n, k, a, b, bias);
  for (int64_t first : {int64_t{0}, int64_t{900}, n - some}) {
    const auto few = product_on(dev, p, m, some, k, a, {b.begin() + first * k, b.begin() + (first + some) * k},
                                {bias.begin() + first, bias.begin() + first + some});
    bool same = true;
    for (int64_t i = 0; i < m; i++) same &= std::equal(&few[i * some], &few[(i + 1) * some], &all[i * n + first]);
    CHECK_MSG(same, "columns from %lld on differ", static_cast<long long>(first));
  }
}

// A GPU rounds factors to 10 bits of fraction only if TESSERA_TF32 asks for it, and then it does.
void tf32_only_if_asked_for(Device &dev) {
  Rng rng(seed());
  const int64_t n = 64;
  auto a = gaussian(rng, n * n), b = gaussian(rng, n * n);
  ts_matmul_params p{sizeof p, 0, 0, 0, 0, 0};
  Tensor<float> ta(dev, {n, n}, a), tb(dev, {n, n}, b), c(dev, {n, n});
  OK(dev, ts_matmul(dev.stream, &p, ta, tb, nullptr, c));
  auto exact = product(p, n, n, n, as<double>(a), as<double>(b));
  auto magnitude = product(p, n, n, n, absolute(a), absolute(b));
  double error = error_of(c.read(), exact, magnitude),
         plain_error = error_of(product(p, n, n, n, a, b), exact, magnitude);
  bool rounded = error > fp32_bound(plain_error);
  CHECK_MSG(rounded == (tf32_wanted() && dev.is_gpu()), "error %.2f, plain formula %.2f", error, plain_error);
}

// The chain of ts_matmul_params.sequential.
std::vector<float> chains(const ts_matmul_params &p, int64_t m, int64_t n, int64_t k, const std::vector<float> &a,
                          const std::vector<float> &b, const std::vector<float> &bias) {
  std::vector<float> c(static_cast<size_t>(m * n));
  for (int64_t i = 0; i < m; i++)
    for (int64_t j = 0; j < n; j++) {
      float sum = 0.0f;
      for (int64_t l = 0; l < k; l++) sum = std::fma(a[i * k + l], b[p.transpose_b ? j * k + l : l * n + j], sum);
      if (!bias.empty()) sum += bias[j];
      c[i * n + j] = p.activation && sum < 0.0f ? 0.0f : sum;
    }
  return c;
}

// The same bits on every device, for any number of rows and threads.
void sequential(Device &dev) {
  Rng rng(seed() + 1);
  for (int64_t m : {1, 2, 5, 6, 7, 24, 25, 64, 131})
    for (auto [n, k] :
         {std::pair<int64_t, int64_t>{1, 1}, {3, 0}, {16, 40}, {31, 300}, {65, 17}, {200, 700}, {64, 64}}) {
      if (dev.name == "cuda-emulated" && m * n * k > 1000000) continue;
      auto flag = [&] { return static_cast<int32_t>(uniform_int(rng, 0, 1)); };
      ts_matmul_params p{sizeof p, 0, flag(), 0, flag(), 1};
      auto a = gaussian(rng, static_cast<size_t>(m * k)), b = gaussian(rng, static_cast<size_t>(k * n));
      auto bias = flag() ? gaussian(rng, static_cast<size_t>(n)) : std::vector<float>();
      Tensor<float> ta(dev, {m, k}, a),
          tb(dev, p.transpose_b ? std::vector<int64_t>{n, k} : std::vector<int64_t>{k, n}, b);
      Tensor<float> tbias(dev, {n}, bias.empty() ? std::vector<float>(static_cast<size_t>(n)) : bias), c(dev, {m, n});
      const ts_tensor *none = nullptr;
      OK(dev, ts_matmul(dev.stream, &p, ta, tb, bias.empty() ? none : tbias, c));
      CHECK_MSG(c.read() == chains(p, m, n, k, a, b, bias), "%lldx%lldx%lld tb %d relu %d bias %d",
                static_cast<long long>(m), static_cast<long long>(n), static_cast<long long>(k), p.transpose_b,
                p.activation, !bias.empty());
    }
}

}  // namespace

int main() {
  run("sizes, flags and epilogues", sizes);
  run("the same with 1 thread", sizes, 1, For::kCpu);
  run("large ones", large, 2, For::kCpu);
  run("large ones on any number of threads", any_threads, 2, For::kCpu);
  run("many columns", many_columns, 2, For::kCpu);
  run("one order of addition", sequential);
  run("one order of addition with 1 thread", sequential, 1, For::kCpu);
  run("TF32 only if it is asked for", tf32_only_if_asked_for);
  return finish();
}
