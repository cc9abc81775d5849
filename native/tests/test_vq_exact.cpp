// Nearest codes equal a float64 brute force, on every kernel family that this machine has: on easy and on hostile
// inputs, at odd shapes, for any number of threads; rows that are not finite are reported and get -1.
#if defined(__x86_64__)
#include <xmmintrin.h>
#endif

#include "test_vq_reference.h"

using namespace tessera::test;

namespace {

void compare(Device &device, const Case &c, const std::vector<int32_t> &expected, const std::string &kernel) {
  Codebook codebook(device, c.codes, c.k, c.d, kernel);
  if (!codebook.handle) return;
  Tensor<float> x(device, {c.n, c.d}, c.x);
  Tensor<int32_t> codes(device, {c.n});
  OK(device, ts_vq_assign(device.stream, codebook.handle, x, codes));
  std::vector<int32_t> got = codes.read();
  for (int64_t i = 0; i < c.n; i++) {
    auto at = static_cast<size_t>(i);
    if (!CHECK_MSG(got[at] == expected[at], "%s, kernel %s, N=%lld K=%lld D=%lld: row %lld got code %d, must be %d",
                   c.name, kernel.c_str(), static_cast<long long>(c.n), static_cast<long long>(c.k),
                   static_cast<long long>(c.d), static_cast<long long>(i), got[at], expected[at]))
      return;
  }
}

void compare_all(Device &device, const Case &c) {
  std::vector<int32_t> expected = brute_force(c.x, c.codes, c.n, c.k, c.d);
  for (const std::string &kernel : kernels(device)) compare(device, c, expected, kernel);
}

// Each kind of input at shapes drawn so that a brute force stays cheap.
void random_shapes(Device &device) {
  Rng rng(seed());
  for (int kind = 0; kind < kKindCount; kind++) {
    for (int repeat = 0; repeat < (device.is_emulated() ? 4 : 6); repeat++) {
      int64_t d = repeat < 2 ? uniform_int(rng, 1, 20) : uniform_int(rng, 1, 300);
      int64_t k = repeat % 2 ? uniform_int(rng, 1, 200) : uniform_int(rng, 1, 1500);
      int64_t n = std::min<int64_t>(uniform_int(rng, 0, 300), 2000000 / (k * d) + 1);
      compare_all(device, make_case(rng, kind, n, k, d));
    }
  }
}

// The corners of the range that is promised.
void corner_shapes(Device &device) {
  Rng rng(seed() + 1);
  const int64_t shapes[][3] = {{0, 5, 3},      {1, 1, 1},       {1, 512, 64},  {10000, 7, 3}, {10000, 1, 2},
                               {40, 5000, 30}, {1500, 5000, 1}, {7, 4999, 17}, {30, 65, 300}, {5, 64, 300},
                               {13, 63, 299},  {11, 1, 300},    {97, 129, 16}, {6, 1000, 64}, {100, 128, 65},
                               {3, 20, 4099},  {20, 9000, 6}};
  const int kinds[] = {0, 1, 2, 11, 14, 15};
  // All kinds at all shapes; on the emulator two at each, which the seed chooses.
  for (size_t i = 0; i < std::size(shapes); i++)
    for (size_t j = 0; j < std::size(kinds); j++)
      if (!device.is_emulated() || (i + j + seed()) % 3 == 0)
        compare_all(device, make_case(rng, kinds[j], shapes[i][0], shapes[i][1], shapes[i][2]));
}

// Every dimension up to two vectors of every family, and every remainder of a tile and of a panel.
void every_remainder(Device &device) {
  Rng rng(seed() + 2);
  for (int64_t d = 1; d <= 70; d++) compare_all(device, make_case(rng, 11, 1 + d % 13, 1 + (d * 7) % 130, d));
  for (int64_t n = 1; n <= 26; n++) compare_all(device, make_case(rng, 0, n, 70, 9));
}

// DESIGN's example: the float64 sums tie, so code 0 is the answer, although exact arithmetic prefers code 1.
void reference_rounding(Device &device) {
  compare_all(device, Case{"tie by rounding", 1, 2, 1, {1e6f}, {0.0f, 1e-12f}});
  compare_all(device, Case{"tie by rounding, reversed", 1, 2, 1, {1e6f}, {1e-12f, 0.0f}});
}

// More near ties than the lists of candidates hold: every code is within an ulp of the others in every number, and rows
// are codes, the last of them too.
void more_candidates_than_lists(Device &device) {
  Rng rng(seed() + 8);
  Case c = make_case(rng, 0, 60, 5000, 24);
  for (size_t i = 0; i < c.codes.size(); i++) {
    float base = i % 24 < 12 ? 1.0f : -3.0f;
    c.codes[i] = rng() % 3 ? std::nextafter(base, rng() % 2 ? 9.0f : -9.0f) : base;
  }
  // A second crowd, far away, so that centring does not make the first one easy.
  for (int64_t i = 0; i < c.k; i += 2)
    for (int64_t j = 0; j < c.d; j++) c.codes[static_cast<size_t>(i * c.d + j)] *= 2.0f;
  for (int64_t i = 0; i < c.n; i++) {
    int64_t from = i == 0 ? c.k - 1 : uniform_int(rng, 0, c.k - 1);
    std::copy_n(c.codes.begin() + from * c.d, c.d, c.x.begin() + i * c.d);
  }
  compare_all(device, c);
}

// Where one code is far from all others, no bound excludes anything, and a GPU scans every row: here rows and codes
// that do not fill the scan's tiles, and rows nearer to 0, which fills them up, than to any code.
void scanned_rows(Device &device) {
  Rng rng(seed() + 12);
  const int64_t n = 61, k = 300, d = 20;
  Case c{"far code, rows near 0", n, k, d, gaussian(rng, n * d, 0.1f), gaussian(rng, k * d, 1.0f, 4.0f)};
  c.codes[static_cast<size_t>(k / 2 * d)] = 1e6f;
  const std::vector<int32_t> expected = brute_force(c.x, c.codes, n, k, d);
  for (const std::string &kernel : kernels(device)) {
    compare(device, c, expected, kernel);
    ts_vq_stats stats{};
    stats.struct_size = sizeof stats;
    OK(device, ts_vq_statistics(device.stream, 1, &stats));
    CHECK(!device.is_gpu() || stats.scanned_rows == static_cast<uint64_t>(n));
  }
}

// Codes near a subspace are screened by their coordinates in it: at the limits of the shapes that are, at the ends of
// the range, away from 0, and for every remainder of a tile.
void projected(Device &device) {
  if (device.name != "cpu") return;
  Rng rng(seed() + 10);
  const int64_t shapes[][3] = {{60, 128, 32},  {61, 129, 33}, {200, 1000, 64}, {40, 700, 300},
                               {20, 4096, 40}, {30, 127, 64}, {30, 300, 31},   {5, 200, 1024}};
  for (const auto &shape : shapes) {
    for (float scale : {1.0f, 1e-30f, 1e30f, 1e-42f}) {
      Case c = make_case(rng, kSubspace, shape[0], shape[1], shape[2]);
      for (auto &v : c.codes) v *= scale;
      for (auto &v : c.x) v *= scale;
      compare_all(device, c);
    }
    Case c = make_case(rng, kSubspace, shape[0], shape[1], shape[2]);
    for (auto &v : c.codes) v += 1e4f;
    for (auto &v : c.x) v += 1e4f;
    compare_all(device, c);
  }
  for (int64_t n = 1; n <= 26; n++) compare_all(device, make_case(rng, kSubspace, n, 130, 64));
}

void thread_counts(Device &device) {
  Rng rng(seed() + 3);
  Case c = make_case(rng, 11, 5000, 100, 24);
  Codebook codebook(device, c.codes, c.k, c.d);
  Tensor<float> x(device, {c.n, c.d}, c.x);
  std::vector<int32_t> first;
  for (int threads : device.is_gpu() ? std::vector<int>{1, 2} : std::vector<int>{1, 2, 3, 8}) {
    ts_stream_options options{sizeof options, threads};
    ts_stream *stream = nullptr;
    CHECK(ts_stream_open(device.device, &options, &stream, nullptr) == TS_OK);
    Tensor<int32_t> codes(device, {c.n});
    CHECK(ts_vq_assign(stream, codebook.handle, x, codes) == TS_OK);
    CHECK(ts_stream_synchronize(stream) == TS_OK);
    std::vector<int32_t> got = codes.read();
    if (first.empty()) first = got;
    CHECK_MSG(got == first, "codes with %d threads differ", threads);
    ts_stream_close(stream, nullptr);
  }
}

// A caller whose thread flushes denormals (as -ffast-math sets up) or rounds elsewhere gets the same codes, and its
// mode back.
void caller_float_mode(Device &device) {
#if defined(__x86_64__)
  if (device.is_gpu()) return;
  Rng rng(seed() + 9);
  ts_stream_options options{sizeof options, 1};
  ts_stream *stream = nullptr;
  CHECK(ts_stream_open(device.device, &options, &stream, nullptr) == TS_OK);
  for (int kind : {4, 9, 11, 14}) {
    for (const std::string &kernel : kernels(device)) {
      Case c = make_case(rng, kind, 100, 90, 21);
      std::vector<int32_t> expected = brute_force(c.x, c.codes, c.n, c.k, c.d);
      Tensor<float> x(device, {c.n, c.d}, c.x), tensor(device, {c.k, c.d}, c.codes);
      Tensor<int32_t> codes(device, {c.n});
      force_kernel(kernel);
      const unsigned mode = _mm_getcsr(), flush_and_round_up = (mode & ~0x3Fu) | 0xC040;
      _mm_setcsr(flush_and_round_up);
      ts_codebook *codebook = nullptr;
      ts_status status = ts_codebook_open(stream, tensor, &codebook);
      if (status == TS_OK) status = ts_vq_assign(stream, codebook, x, codes);
      const unsigned after = _mm_getcsr();
      _mm_setcsr(mode);
      force_kernel("");
      if (codebook) ts_codebook_close(codebook, nullptr);
      if (status == TS_UNAVAILABLE) continue;
      CHECK(status == TS_OK && (after & 0xE040) == 0xC040);
      CHECK_MSG(codes.read() == expected, "%s, kernel %s: codes depend on the caller's mode", c.name, kernel.c_str());
    }
  }
  ts_stream_close(stream, nullptr);
#else
  (void)device;
#endif
}

// Faults name the lowest row, the other rows are still computed, and the record is sticky until it is read.
void nonfinite_rows(Device &device) {
  Rng rng(seed() + 4);
  for (const std::string &kernel : kernels(device)) {
    Case c = make_case(rng, 11, 700, 90, 19);
    auto put = [&](int64_t row, int64_t at, float value) { c.x[static_cast<size_t>(row * c.d + at)] = value; };
    put(401, 18, NAN);
    put(123, 0, HUGE_VALF);
    put(124, 7, -HUGE_VALF);
    put(699, 3, -NAN);
    Codebook codebook(device, c.codes, c.k, c.d, kernel);
    if (!codebook.handle) continue;
    Tensor<float> x(device, {c.n, c.d}, c.x);
    Tensor<int32_t> codes(device, {c.n});
    ts_status status = ts_vq_assign(device.stream, codebook.handle, x, codes);
    if (status == TS_OK) status = ts_stream_synchronize(device.stream);
    CHECK(status == TS_DATA_FAULT);
    CHECK_MSG(device.message().find("row 123") != std::string::npos, "message: %s", device.message().c_str());
    ts_fault fault{};
    fault.struct_size = sizeof fault;
    OK(device, ts_stream_fault(device.stream, &fault));
    CHECK_MSG(fault.kind == TS_FAULT_NONFINITE_ROW && fault.row == 123 && std::string(fault.op) == "vq_assign",
              "fault %d of row %lld in %s", fault.kind, static_cast<long long>(fault.row), fault.op);
    OK(device, ts_stream_fault(device.stream, &fault));
    CHECK(fault.kind == TS_FAULT_NONE);
    CHECK(codes.read() == brute_force(c.x, c.codes, c.n, c.k, c.d));
  }
}

void nonfinite_codes(Device &device) {
  Rng rng(seed() + 5);
  Case c = make_case(rng, 0, 0, 50, 6);
  Codebook codebook(device, c.codes, c.k, c.d);
  c.codes[40 * 6 + 1] = NAN;
  c.codes[17 * 6 + 5] = -HUGE_VALF;
  Tensor<float> bad(device, {c.k, c.d}, c.codes);
  ts_codebook *none = nullptr;
  CHECK(ts_codebook_open(device.stream, bad, &none) == TS_DATA_FAULT && !none);
  ts_fault fault{};
  fault.struct_size = sizeof fault;
  OK(device, ts_stream_fault(device.stream, &fault));
  CHECK(fault.kind == TS_FAULT_NONFINITE_CODE && fault.row == 17);
  CHECK(ts_codebook_update(device.stream, codebook.handle, bad) == TS_DATA_FAULT);
  OK(device, ts_stream_fault(device.stream, &fault));
  CHECK(fault.kind == TS_FAULT_NONFINITE_CODE && fault.row == 17);
  ts_codebook_info info{};
  info.struct_size = sizeof info;
  CHECK(ts_codebook_describe(codebook.handle, &info, nullptr) == TS_OK && info.version == 1);
}

// A forced kernel is the one that runs; a name that does not exist is refused and says which do.
void forced_kernels(Device &device) {
  Rng rng(seed() + 6);
  Case c = make_case(rng, 0, 10, 30, 8);
  Tensor<float> x(device, {c.n, c.d}, c.x), tensor(device, {c.k, c.d}, c.codes);
  Tensor<int32_t> codes(device, {c.n});
  for (const std::string &kernel : kernels(device)) {
    Codebook codebook(device, c.codes, c.k, c.d, kernel);
    if (!codebook.handle) {
      printf("        kernel %s cannot run here\n", kernel.c_str());
      continue;
    }
    OK(device, ts_vq_assign(device.stream, codebook.handle, x, codes));
    ts_vq_stats stats{};
    stats.struct_size = sizeof stats;
    OK(device, ts_vq_statistics(device.stream, 1, &stats));
    CHECK_MSG(kernel.empty() || kernel == stats.kernel, "forced %s, ran %s", kernel.c_str(), stats.kernel);
    CHECK(stats.rows == 10 && stats.candidates >= 10);
    uint64_t rows = 0;
    for (uint64_t bin : stats.histogram) rows += bin;
    CHECK(rows == 10);
    OK(device, ts_vq_statistics(device.stream, 0, &stats));
    CHECK(stats.rows == 0);
  }
  force_kernel("int9-abacus");
  ts_codebook *none = nullptr;
  CHECK(ts_codebook_open(device.stream, tensor, &none) == TS_INVALID_ARGUMENT && !none);
  force_kernel("");
  CHECK_MSG(device.message().find("int9-abacus") != std::string::npos &&
                device.message().find(kernels(device)[1]) != std::string::npos,
            "message: %s", device.message().c_str());
}

// Rows near their code leave the screen with that code alone. A fault that spoils scores need not spoil a code: rows
// whose bounds exclude nothing are scanned, which is slow and right.
void screens_decide(Device &device) {
  Rng rng(seed() + 10);
  const int64_t shapes[][3] = {{300, 70, 9}, {700, 300, 40}, {150, 1300, 70}, {400, 150, 200}, {129, 129, 16}};
  for (const auto &shape : shapes) {
    Case c = make_case(rng, 11, shape[0], shape[1], shape[2]);
    const std::vector<int32_t> expected = brute_force(c.x, c.codes, c.n, c.k, c.d);
    for (const std::string &kernel : kernels(device)) {
      compare(device, c, expected, kernel);
      ts_vq_stats stats{};
      stats.struct_size = sizeof stats;
      OK(device, ts_vq_statistics(device.stream, 1, &stats));
      if (stats.rows == 0 && !device.is_gpu()) continue;  // a family that this processor lacks
      const auto rows = static_cast<uint64_t>(c.n);
      CHECK_MSG(stats.rows == rows && stats.scanned_rows == 0 && stats.candidates >= rows &&
                    stats.candidates <= rows + rows / 50,
                "kernel %s, K=%lld D=%lld: %llu rows, %llu candidates, %llu scanned", stats.kernel,
                static_cast<long long>(c.k), static_cast<long long>(c.d), static_cast<unsigned long long>(stats.rows),
                static_cast<unsigned long long>(stats.candidates), static_cast<unsigned long long>(stats.scanned_rows));
    }
  }
}

// A codebook that is updated searches the new codes, also where an older version's memory is used again.
void updates(Device &device) {
  Rng rng(seed() + 7);
  Case c = make_case(rng, 11, 200, 70, 20);
  Codebook codebook(device, c.codes, c.k, c.d);
  for (int version = 2; version <= 5; version++) {
    Case next = make_case(rng, version % 2 ? 3 : 11, 200, 70, 20);
    Tensor<float> x(device, {next.n, next.d}, next.x), tensor(device, {next.k, next.d}, next.codes);
    Tensor<int32_t> codes(device, {next.n});
    OK(device, ts_codebook_update(device.stream, codebook.handle, tensor));
    OK(device, ts_vq_assign(device.stream, codebook.handle, x, codes));
    CHECK(codes.read() == brute_force(next.x, next.codes, next.n, next.k, next.d));
  }
}

}  // namespace

int main() {
  run("codes equal a float64 brute force", random_shapes);
  run("codes at corner shapes", corner_shapes);
  run("codes at every remainder", every_remainder);
  run("codes where the reference itself rounds", reference_rounding);
  run("more candidates than the lists hold", more_candidates_than_lists);
  run("rows that are scanned", scanned_rows);
  run("codes near a subspace", projected);
  run("codes do not depend on threads", thread_counts);
  run("codes do not depend on the caller's float mode", caller_float_mode);
  run("rows that are not finite", nonfinite_rows);
  run("codes that are not finite", nonfinite_codes);
  run("forced kernels and statistics", forced_kernels);
  run("the screen decides rows near their code", screens_decide);
  run("updates replace what was packed", updates);
  return finish();
}
