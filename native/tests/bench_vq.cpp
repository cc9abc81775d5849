// Measures nearest-code search through the public header: for whoever works on a kernel. Not a test.
//
//   bench_vq [--op assign|quantize|update|brute|scaling] [--k K] [--d D] [--n N] [--data
//   gaussian|trained|near-tied|crowds]
//            [--kernel NAME] [--threads T] [--repeats R] [--far VALUE] [--device cpu|cuda-emulated|cuda:N]
//
// "brute" is a plain float64 search on one thread, for scale; "near-tied" and "crowds" are the worst cases of the
// tests. "scaling" compares assign on T threads with one thread, on the wall, in turn, round after round. --far puts
// VALUE into one number of one code, far from all others. With --device, only what is left of the rows means anything.
//
// Without --k and --d it walks through the shapes of docs/kernels.md. Every line has the fp32 peak of one core,
// measured around the same repeats by a loop of independent fma, because clocks and neighbours change. Times are minima
// over the repeats and include everything that a caller pays.
#include <immintrin.h>

#include <ctime>

#include "test_vq_reference.h"

using namespace tessera::test;

namespace {

// With one thread: its processor time, which a busy neighbour does not stretch.
clockid_t used_clock = CLOCK_MONOTONIC;

double now() {
  timespec t{};
  clock_gettime(used_clock, &t);
  return static_cast<double>(t.tv_sec) + 1e-9 * static_cast<double>(t.tv_nsec);
}

// 2 x 16 x 12 operations an iteration, from 12 independent chains.
__attribute__((target("avx512f"), noinline)) double peak_avx512() {
  __m512 a[12];
  for (auto &v : a) v = _mm512_set1_ps(1.0f);
  __m512 x = _mm512_set1_ps(0.999f), y = _mm512_set1_ps(0.001f);
  constexpr int64_t kIterations = 400000;
  double start = now();
  for (int64_t i = 0; i < kIterations; i++) {
#pragma GCC unroll 12
    for (auto &v : a) asm volatile("vfmadd213ps %2, %1, %0" : "+v"(v) : "v"(x), "v"(y));
  }
  double seconds = now() - start;
  return 2.0 * 16 * 12 * kIterations / seconds * 1e-9;
}

__attribute__((target("avx2,fma"), noinline)) double peak_avx2() {
  __m256 a[12];
  for (auto &v : a) v = _mm256_set1_ps(1.0f);
  __m256 x = _mm256_set1_ps(0.999f), y = _mm256_set1_ps(0.001f);
  constexpr int64_t kIterations = 400000;
  double start = now();
  for (int64_t i = 0; i < kIterations; i++) {
#pragma GCC unroll 12
    for (auto &v : a) asm volatile("vfmadd213ps %2, %1, %0" : "+v"(v) : "v"(x), "v"(y));
  }
  double seconds = now() - start;
  return 2.0 * 8 * 12 * kIterations / seconds * 1e-9;
}

double peak() { return __builtin_cpu_supports("avx512f") ? peak_avx512() : peak_avx2(); }

struct Options {
  std::string op = "assign", data, kernel, device = "cpu";
  float far = 0;
  int64_t k = 0, d = 0, n = 20000;
  int threads = 1, repeats = 7;
};

// "trained": low-rank rows with a decaying spectrum near codes of the same law, a stand-in for an encoder's output.
Case make_data(Rng &rng, const std::string &data, int64_t n, int64_t k, int64_t d) {
  Case c{"", n, k, d, gaussian(rng, static_cast<size_t>(n * d)), gaussian(rng, static_cast<size_t>(k * d))};
  if (data == "gaussian") {
    for (auto &v : c.codes) v *= 0.5f;
    return c;
  }
  for (int kind = 0; kind < kKindCount; kind++)
    if (data == kKinds[kind] && data != "gaussian") return make_case(rng, kind, n, k, d);
  std::vector<float> mix = gaussian(rng, static_cast<size_t>(d * d));
  auto law = [&](float *out) {
    std::vector<float> z(out, out + d);
    for (int64_t j = 0; j < d; j++) {
      float sum = 0;
      for (int64_t i = 0; i < d; i++)
        sum += z[static_cast<size_t>(i)] * mix[static_cast<size_t>(i * d + j)] *
               std::pow(1.0f + static_cast<float>(i), -0.7f);
      out[j] = sum;
    }
  };
  for (int64_t i = 0; i < k; i++) law(c.codes.data() + i * d);
  for (int64_t i = 0; i < n; i++) {
    float *row = c.x.data() + i * d;
    law(row);
    const float *code = c.codes.data() + uniform_int(rng, 0, k - 1) * d;
    for (int64_t j = 0; j < d; j++) row[j] = code[j] + 0.3f * row[j];
  }
  return c;
}

// Medians of rounds, each with both numbers of threads.
void compare_threads(Device &device, const Options &o, Codebook &codebook, Tensor<float> &x, Tensor<int32_t> &codes) {
  ts_stream_options options{sizeof options, 1};
  ts_stream *streams[2] = {nullptr, device.stream};
  CHECK(ts_stream_open(device.device, &options, &streams[0], nullptr) == TS_OK);
  std::vector<double> seconds[2];
  used_clock = CLOCK_MONOTONIC;
  for (int round = -1; round < o.repeats; round++) {
    for (int i = 0; i < 2; i++) {
      double start = now();
      CHECK(ts_vq_assign(streams[i], codebook.handle, x, codes) == TS_OK);
      CHECK(ts_stream_synchronize(streams[i]) == TS_OK);
      if (round >= 0) seconds[i].push_back(now() - start);  // the first round is a warm-up
    }
  }
  for (auto &s : seconds) std::sort(s.begin(), s.end());
  double one = seconds[0][seconds[0].size() / 2], all = seconds[1][seconds[1].size() / 2];
  printf("scaling  %-8s n %lld k %lld d %lld  1 thread %.2f ms, %d threads %.2f ms: %.2f times as fast\n",
         o.data.c_str(), static_cast<long long>(o.n), static_cast<long long>(o.k), static_cast<long long>(o.d),
         one * 1e3, o.threads, all * 1e3, one / all);
  ts_stream_close(streams[0], nullptr);
}

void measure(Device &device, const Options &o) {
  Rng rng(1);
  Case c = make_data(rng, o.data, o.n, o.k, o.d);
  if (o.far != 0) c.codes[static_cast<size_t>(uniform_int(rng, 0, c.k * c.d - 1))] = o.far;
  Codebook codebook(device, c.codes, c.k, c.d, o.kernel);
  if (!codebook.handle) return;
  Tensor<float> x(device, {c.n, c.d}, c.x), quantized(device, {c.n, c.d}), sums(device, {c.k, c.d});
  Tensor<int32_t> codes(device, {c.n}), counts(device, {c.k});
  Tensor<double> error(device, {1});
  if (o.op == "scaling") return compare_threads(device, o, codebook, x, codes);
  auto call = [&] {
    if (o.op == "assign") OK(device, ts_vq_assign(device.stream, codebook.handle, x, codes));
    if (o.op == "quantize")
      OK(device, ts_vq_quantize(device.stream, codebook.handle, x, codes, quantized, error, counts, sums));
    if (o.op == "brute") brute_force(c.x, c.codes, c.n, c.k, c.d);
    if (o.op == "update") OK(device, ts_vq_scatter(device.stream, x, codes, counts, sums));
  };
  OK(device, ts_vq_assign(device.stream, codebook.handle, x, codes));
  ts_vq_stats stats{};
  stats.struct_size = sizeof stats;
  OK(device, ts_vq_statistics(device.stream, 1, &stats));
  call();
  OK(device, ts_vq_statistics(device.stream, 1, &stats));
  const int64_t calls = std::max<int64_t>(1, 1000 / c.n);  // a single vector is faster than the clock
  double best = 1e9, top = 0;
  for (int r = 0; r < o.repeats; r++) {
    top = std::max(top, peak());
    double start = now();
    for (int64_t i = 0; i < calls; i++) call();
    best = std::min(best, (now() - start) / static_cast<double>(calls));
  }
  double gflops = 2.0 * static_cast<double>(c.n) * static_cast<double>(c.k) * static_cast<double>(c.d) / best * 1e-9;
  auto rows = static_cast<double>(std::max<uint64_t>(1, stats.rows));
  printf(
      "%-8s %-8s %-12s n %-6lld k %-6lld d %-4lld t %d  %9.1f ns/row %7.1f GFLOP/s  peak %6.1f  ratio %5.2f  "
      "left/row %6.3f  rescored %6.3f%%  scanned %llu\n",
      o.op.c_str(), o.data.c_str(), stats.kernel, static_cast<long long>(c.n), static_cast<long long>(c.k),
      static_cast<long long>(c.d), o.threads, best / static_cast<double>(c.n) * 1e9, gflops, top, gflops / top,
      static_cast<double>(stats.candidates) / rows, 100.0 * static_cast<double>(stats.rescored_rows) / rows,
      static_cast<unsigned long long>(stats.scanned_rows));
  fflush(stdout);
}

}  // namespace

int main(int argc, char **argv) {
  Options o;
  for (int i = 1; i + 1 < argc; i += 2) {
    std::string name = argv[i], value = argv[i + 1];
    if (name == "--op") o.op = value;
    if (name == "--data") o.data = value;
    if (name == "--kernel") o.kernel = value;
    if (name == "--device") o.device = value;
    if (name == "--far") o.far = std::stof(value);
    if (name == "--k") o.k = std::stoll(value);
    if (name == "--d") o.d = std::stoll(value);
    if (name == "--n") o.n = std::stoll(value);
    if (name == "--threads") o.threads = std::stoi(value);
    if (name == "--repeats") o.repeats = std::stoi(value);
  }
  if (o.threads == 1) used_clock = CLOCK_THREAD_CPUTIME_ID;
  Device device{o.device};
  ts_error error{};
  ts_stream_options options{sizeof options, o.threads};
  if (ts_device_open(o.device.c_str(), &device.device, &error) != TS_OK ||
      ts_stream_open(device.device, &options, &device.stream, &error) != TS_OK) {
    fprintf(stderr, "%s\n", error.message);
    return 1;
  }
  const int64_t shapes[][2] = {{512, 64}, {1024, 64}, {8192, 64}, {512, 256},
                               {8192, 8}, {8192, 16}, {8192, 32}, {8192, 128}};
  for (const auto &shape : shapes) {
    for (const char *data : {"trained", "gaussian"}) {
      Options one = o;
      if (!one.k) one.k = shape[0];
      if (!one.d) one.d = shape[1];
      if (one.data.empty())
        one.data = data;
      else if (data == std::string("gaussian"))
        continue;  // once
      measure(device, one);
    }
    if (o.k && o.d) break;
  }
  ts_stream_close(device.stream, nullptr);
  ts_device_close(device.device, nullptr);
  return finish();
}
