// The quantiser's ops around the search: fused quantise, scatter-update in its one order of addition, Sonnet's moving
// averages, and the gradients, with beta on the encoder's side alone.
#include <cfenv>

#include "test_vq_reference.h"

using namespace tessera::test;

namespace {

std::vector<int32_t> random_codes(Rng &rng, int64_t n, int64_t k) {
  std::vector<int32_t> codes(static_cast<size_t>(n));
  for (auto &code : codes) code = static_cast<int32_t>(uniform_int(rng, 0, k - 1));
  return codes;
}

bool same_bits(const std::vector<float> &a, const std::vector<float> &b) {
  return a.size() == b.size() && (a.empty() || memcmp(a.data(), b.data(), a.size() * sizeof(float)) == 0);
}

ts_fault take_fault(Device &device) {
  ts_fault fault{};
  fault.struct_size = sizeof fault;
  OK(device, ts_stream_fault(device.stream, &fault));
  return fault;
}

// Bit for bit, with every number of threads.
void scatter_order(Device &device) {
  Rng rng(seed());
  const int64_t shapes[][3] = {{0, 4, 3},       {1, 1, 1},       {1023, 5, 7},    {1024, 6, 16},
                               {1025, 3, 33},   {5000, 1, 5},    {5000, 900, 8},  {9000, 40, 64},
                               {3000, 5000, 2}, {2500, 13, 300}, {600000, 300, 1}};
  for (const auto &shape : shapes) {
    int64_t n = shape[0], k = shape[1], d = shape[2];
    std::vector<float> values(static_cast<size_t>(n * d));
    for (auto &v : values) v = signed_power(rng, -10, 10);  // sums whose bits depend on the order
    std::vector<int32_t> assigned = random_codes(rng, n, k), expected_counts;
    std::vector<float> expected_sums;
    plain_scatter(values, assigned, n, k, d, &expected_counts, &expected_sums);
    Tensor<float> x(device, {n, d}, values);
    Tensor<int32_t> codes(device, {n}, assigned);
    for (int threads : device.is_gpu() ? std::vector<int>{1} : std::vector<int>{1, 2, 5}) {
      ts_stream_options options{sizeof options, threads};
      ts_stream *stream = nullptr;
      CHECK(ts_stream_open(device.device, &options, &stream, nullptr) == TS_OK);
      Tensor<int32_t> counts(device, {k});
      Tensor<float> sums(device, {k, d});
      CHECK(ts_vq_scatter(stream, x, codes, counts, sums) == TS_OK);
      CHECK(ts_stream_synchronize(stream) == TS_OK);
      CHECK(counts.read() == expected_counts);
      CHECK_MSG(same_bits(sums.read(), expected_sums), "sums differ: N=%lld K=%lld D=%lld, %d threads",
                static_cast<long long>(n), static_cast<long long>(k), static_cast<long long>(d), threads);
      ts_stream_close(stream, nullptr);
    }
  }
}

void codes_out_of_range(Device &device) {
  Rng rng(seed() + 1);
  int64_t n = 3000, k = 20, d = 9;
  std::vector<float> values = gaussian(rng, static_cast<size_t>(n * d)),
                     book = gaussian(rng, static_cast<size_t>(k * d));
  std::vector<int32_t> assigned = random_codes(rng, n, k), expected_counts;
  assigned[2500] = -1, assigned[1700] = 20, assigned[2999] = INT32_MIN;
  std::vector<float> expected_sums;
  plain_scatter(values, assigned, n, k, d, &expected_counts, &expected_sums);
  Codebook codebook(device, book, k, d);
  Tensor<float> x(device, {n, d}, values), sums(device, {k, d}), out(device, {n, d});
  Tensor<int32_t> codes(device, {n}, assigned), counts(device, {k});
  ts_status status = ts_vq_scatter(device.stream, x, codes, counts, sums);
  if (status == TS_OK) status = ts_stream_synchronize(device.stream);
  CHECK(status == TS_DATA_FAULT);
  ts_fault fault = take_fault(device);
  CHECK(fault.kind == TS_FAULT_CODE_RANGE && fault.row == 1700 && std::string(fault.op) == "vq_scatter");
  CHECK(counts.read() == expected_counts && same_bits(sums.read(), expected_sums));

  status = ts_vq_gather(device.stream, codebook.handle, codes, out);
  if (status == TS_OK) status = ts_stream_synchronize(device.stream);
  CHECK(status == TS_DATA_FAULT);
  fault = take_fault(device);
  CHECK(fault.kind == TS_FAULT_CODE_RANGE && fault.row == 1700 && std::string(fault.op) == "vq_gather");
  std::vector<float> expected(static_cast<size_t>(n * d), 0.0f);
  for (int64_t i = 0; i < n; i++) {
    int32_t code = assigned[static_cast<size_t>(i)];
    if (code >= 0 && code < k) std::copy_n(book.begin() + code * d, d, expected.begin() + i * d);
  }
  CHECK(same_bits(out.read(), expected));
}

// tessera.h's order of the squared error.
double plain_error(const std::vector<float> &x, const std::vector<float> &book, const std::vector<int32_t> &codes,
                   int64_t d) {
  double total = 0;
  auto n = static_cast<int64_t>(codes.size());
  for (int64_t begin = 0; begin < n; begin += 1024) {
    double block = 0;
    for (int64_t i = begin; i < std::min(n, begin + 1024); i++)
      if (codes[static_cast<size_t>(i)] >= 0)
        block += contract_distance(x.data() + i * d, book.data() + codes[static_cast<size_t>(i)] * d, d);
    total += block;
  }
  return total;
}

void fused_quantise(Device &device) {
  Rng rng(seed() + 2);
  const int64_t shapes[][3] = {{0, 4, 3}, {1, 1, 1}, {3333, 50, 17}, {5000, 300, 8}, {1030, 2000, 64}, {2100, 7, 130}};
  for (const auto &shape : shapes) {
    for (const std::string &kernel : kernels(device)) {
      Case c = make_case(rng, 11, shape[0], shape[1], shape[2]);
      bool faulty = c.n > 3000;
      if (faulty) c.x[static_cast<size_t>(1234 * c.d)] = NAN, c.x[static_cast<size_t>(1300 * c.d)] = HUGE_VALF;
      Codebook codebook(device, c.codes, c.k, c.d, kernel);
      if (!codebook.handle) continue;
      std::vector<int32_t> expected = brute_force(c.x, c.codes, c.n, c.k, c.d), expected_counts;
      std::vector<float> expected_sums, expected_rows(static_cast<size_t>(c.n * c.d), 0.0f);
      plain_scatter(c.x, expected, c.n, c.k, c.d, &expected_counts, &expected_sums);
      for (int64_t i = 0; i < c.n; i++)
        if (expected[static_cast<size_t>(i)] >= 0)
          std::copy_n(c.codes.begin() + expected[static_cast<size_t>(i)] * c.d, c.d, expected_rows.begin() + i * c.d);
      Tensor<float> x(device, {c.n, c.d}, c.x);
      for (int outputs = 0; outputs < 8; outputs++) {  // every choice of outputs
        // On the emulator, as on a GPU, the search comes first and is the same for all of them.
        if (device.is_emulated() && outputs != 7 && kernel != kernels(device)[0]) continue;
        Tensor<int32_t> codes(device, {c.n}), counts(device, {c.k});
        Tensor<float> quantized(device, {c.n, c.d}), sums(device, {c.k, c.d});
        Tensor<double> error(device, {1});
        const ts_tensor *none = nullptr;
        bool with_rows = outputs & 1, with_error = outputs & 2, with_sums = outputs & 4;
        ts_status status =
            ts_vq_quantize(device.stream, codebook.handle, x, codes, with_rows ? quantized : none,
                           with_error ? error : none, with_sums ? counts : none, with_sums ? sums : none);
        if (status == TS_OK) status = ts_stream_synchronize(device.stream);
        CHECK_MSG(status == (faulty ? TS_DATA_FAULT : TS_OK), "status %d: %s", status, device.message().c_str());
        ts_fault fault = take_fault(device);
        CHECK(!faulty || (fault.kind == TS_FAULT_NONFINITE_ROW && fault.row == 1234));
        CHECK(codes.read() == expected);
        if (with_rows) CHECK(same_bits(quantized.read(), expected_rows));
        if (with_error) {
          double got = error.read()[0], want = plain_error(c.x, c.codes, expected, c.d);
          CHECK_MSG(got == want, "squared error %.17g, must be %.17g", got, want);
        }
        if (with_sums) CHECK(counts.read() == expected_counts && same_bits(sums.read(), expected_sums));
      }
    }
  }
}

void quantise_threads(Device &device) {
  Rng rng(seed() + 3);
  Case c = make_case(rng, 11, 9000, 33, 12);
  Codebook codebook(device, c.codes, c.k, c.d);
  Tensor<float> x(device, {c.n, c.d}, c.x);
  std::vector<float> first;
  double first_error = 0;
  for (int threads : device.is_gpu() ? std::vector<int>{1, 2} : std::vector<int>{1, 2, 7}) {
    ts_stream_options options{sizeof options, threads};
    ts_stream *stream = nullptr;
    CHECK(ts_stream_open(device.device, &options, &stream, nullptr) == TS_OK);
    Tensor<int32_t> codes(device, {c.n}), counts(device, {c.k});
    Tensor<float> quantized(device, {c.n, c.d}), sums(device, {c.k, c.d});
    Tensor<double> error(device, {1});
    CHECK(ts_vq_quantize(stream, codebook.handle, x, codes, quantized, error, counts, sums) == TS_OK);
    CHECK(ts_stream_synchronize(stream) == TS_OK);
    if (first.empty()) first = sums.read(), first_error = error.read()[0];
    CHECK(same_bits(sums.read(), first) && error.read()[0] == first_error);
    ts_stream_close(stream, nullptr);
  }
}

// A caller whose thread rounds elsewhere gets the same squared error: the blocks' sums are added in the contract's
// mode.
void quantise_caller_rounding(Device &device) {
  if (device.is_gpu()) return;
  Rng rng(seed() + 9);
  Case c = make_case(rng, 11, 9000, 33, 12);
  double want = plain_error(c.x, c.codes, brute_force(c.x, c.codes, c.n, c.k, c.d), c.d);
  Codebook codebook(device, c.codes, c.k, c.d);
  Tensor<float> x(device, {c.n, c.d}, c.x);
  for (int rounding : {FE_UPWARD, FE_DOWNWARD, FE_TOWARDZERO}) {
    Tensor<int32_t> codes(device, {c.n});
    Tensor<double> error(device, {1});
    std::fesetround(rounding);
    ts_status status = ts_vq_quantize(device.stream, codebook.handle, x, codes, nullptr, error, nullptr, nullptr);
    const int after = std::fegetround();
    std::fesetround(FE_TONEAREST);
    CHECK(status == TS_OK && after == rounding);
    double got = error.read()[0];
    CHECK_MSG(got == want, "squared error %.17g, must be %.17g", got, want);
  }
}

// Nor do the moving averages, a restart and the commitment's gradient depend on how the caller's thread rounds, from
// the decay's powers on: bit for bit what they are when it rounds to nearest.
void training_caller_rounding(Device &device) {
  if (device.name != "cpu") return;
  Rng rng(seed() + 11);
  const int64_t k = 37, d = 13, n = 500;
  const std::vector<float> book = gaussian(rng, static_cast<size_t>(k * d)), rows = gaussian(rng, n * d);
  const std::vector<float> near = gaussian(rng, n * d);
  std::vector<int32_t> counts_now;
  std::vector<float> sums_now;
  plain_scatter(rows, random_codes(rng, n, k - 3), n, k, d, &counts_now, &sums_now);
  std::vector<std::vector<float>> wanted;
  for (int rounding : {FE_TONEAREST, FE_UPWARD, FE_DOWNWARD, FE_TOWARDZERO}) {
    std::vector<std::vector<float>> got;
    for (int64_t step : {1, 3, 7, 100}) {
      Codebook codebook(device, book, k, d);
      Tensor<float> x(device, {n, d}, rows), quantized(device, {n, d}, near), grad(device, {n, d});
      Tensor<float> hidden_counts(device, {k}, std::vector<float>(static_cast<size_t>(k), 0.01f));
      Tensor<float> hidden_sums(device, {k, d}, book), sums(device, {k, d}, sums_now), codes(device, {k, d});
      Tensor<int32_t> counts(device, {k}, counts_now), restarted(device, {1});
      ts_vq_ema_params ema{sizeof ema, 0, step, 0.97, 1e-5};
      ts_vq_restart_params restart{sizeof restart, 0, 5, step, 0.97, 1.7};
      std::fesetround(rounding);
      OK(device, ts_vq_ema_update(device.stream, codebook.handle, &ema, counts, sums, hidden_counts, hidden_sums));
      OK(device, ts_codebook_read(device.stream, codebook.handle, codes));
      std::vector<float> averaged = codes.read();
      OK(device, ts_vq_restart(device.stream, codebook.handle, &restart, x, hidden_counts, hidden_sums, restarted));
      OK(device, ts_codebook_read(device.stream, codebook.handle, codes));
      OK(device, ts_vq_backward(device.stream, 0.3, x, quantized, nullptr, grad));
      const int after = std::fegetround();
      std::fesetround(FE_TONEAREST);
      CHECK(after == rounding && restarted.read()[0] > 0);
      for (const auto &values : {averaged, codes.read(), hidden_counts.read(), hidden_sums.read(), grad.read()})
        got.push_back(values);
    }
    if (wanted.empty()) wanted = got;
    for (size_t i = 0; i < got.size(); i++)
      CHECK_MSG(same_bits(got[i], wanted[i]), "result %zu depends on the caller's rounding %d", i, rounding);
  }
}

// Equal calls after the first allocate nothing.
void steady_calls_allocate_nothing(Device &device) {
  Rng rng(seed() + 4);
  Case c = make_case(rng, 11, 3000, 200, 24);
  Codebook codebook(device, c.codes, c.k, c.d);
  Tensor<float> x(device, {c.n, c.d}, c.x), quantized(device, {c.n, c.d}), sums(device, {c.k, c.d});
  Tensor<float> hidden_sums(device, {c.k, c.d}, std::vector<float>(static_cast<size_t>(c.k * c.d)));
  Tensor<float> hidden_counts(device, {c.k}, std::vector<float>(static_cast<size_t>(c.k)));
  Tensor<int32_t> codes(device, {c.n}), counts(device, {c.k});
  Tensor<double> error(device, {1});
  uint64_t allocations = 0;
  for (int step = 1; step <= 6; step++) {
    ts_vq_ema_params params{sizeof params, 0, step, 0.9, 1e-5};
    OK(device, ts_vq_quantize(device.stream, codebook.handle, x, codes, quantized, error, counts, sums));
    OK(device, ts_vq_ema_update(device.stream, codebook.handle, &params, counts, sums, hidden_counts, hidden_sums));
    ts_memory_info memory{};
    memory.struct_size = sizeof memory;
    CHECK(ts_device_memory(device.device, &memory, nullptr) == TS_OK);
    if (step == 3) allocations = memory.allocation_count;
    CHECK_MSG(step <= 3 || memory.allocation_count == allocations, "step %d allocated", step);
  }
}

// Sonnet's formulas in float64, over 50 steps.
void ema_is_sonnets(Device &device) {
  Rng rng(seed() + 5);
  const int64_t k = 40, d = 11, n = 300;
  const double decay = 0.99, epsilon = 1e-5;
  std::vector<float> book = gaussian(rng, static_cast<size_t>(k * d));
  Codebook codebook(device, book, k, d);
  std::vector<double> hidden_n(static_cast<size_t>(k)), hidden_m(static_cast<size_t>(k * d));
  Tensor<float> hidden_counts(device, {k}, std::vector<float>(static_cast<size_t>(k)));
  Tensor<float> hidden_sums(device, {k, d}, std::vector<float>(static_cast<size_t>(k * d)));
  for (int step = 1; step <= 50; step++) {
    std::vector<float> values = gaussian(rng, static_cast<size_t>(n * d)), sums_now;
    std::vector<int32_t> assigned = random_codes(rng, n, k - 3), counts_now;  // three codes are never used
    plain_scatter(values, assigned, n, k, d, &counts_now, &sums_now);
    Tensor<int32_t> counts(device, {k}, counts_now);
    Tensor<float> sums(device, {k, d}, sums_now);
    ts_vq_ema_params params{sizeof params, 0, step, decay, epsilon};
    OK(device, ts_vq_ema_update(device.stream, codebook.handle, &params, counts, sums, hidden_counts, hidden_sums));

    double debias = 1.0 / (1.0 - std::pow(decay, step)), total = 0;
    for (size_t i = 0; i < hidden_n.size(); i++) {
      hidden_n[i] -= (hidden_n[i] - counts_now[i]) * (1 - decay);
      total += hidden_n[i] * debias;
    }
    Tensor<float> codes(device, {k, d});
    OK(device, ts_codebook_read(device.stream, codebook.handle, codes));
    std::vector<float> got = codes.read();
    for (size_t i = 0; i < hidden_n.size(); i++) {
      double smoothed = (hidden_n[i] * debias + epsilon) / (total + k * epsilon) * total;
      for (size_t j = i * d; j < (i + 1) * d; j++) {
        hidden_m[j] -= (hidden_m[j] - sums_now[j]) * (1 - decay);
        double want = hidden_m[j] * debias / smoothed;
        if (!CHECK_MSG(std::fabs(got[j] - want) <= 1e-5 * (1 + std::fabs(want)),
                       "step %d, element %zu: %.9g, must be %.9g", step, j, static_cast<double>(got[j]), want))
          return;
      }
    }
  }
  ts_codebook_info info{};
  info.struct_size = sizeof info;
  CHECK(ts_codebook_describe(codebook.handle, &info, nullptr) == TS_OK && info.version == 51);
}

void ema_without_rows(Device &device) {
  Rng rng(seed() + 6);
  const int64_t k = 5, d = 3;
  std::vector<float> book = gaussian(rng, k * d);
  Codebook codebook(device, book, k, d);
  Tensor<int32_t> counts(device, {k}, std::vector<int32_t>(k));
  Tensor<float> sums(device, {k, d}, std::vector<float>(k * d));
  Tensor<float> hidden_counts(device, {k}, std::vector<float>(k)),
      hidden_sums(device, {k, d}, std::vector<float>(k * d));
  ts_vq_ema_params params{sizeof params, 0, 1, 0.99, 1e-5};
  OK(device, ts_vq_ema_update(device.stream, codebook.handle, &params, counts, sums, hidden_counts, hidden_sums));
  Tensor<float> codes(device, {k, d});
  OK(device, ts_codebook_read(device.stream, codebook.handle, codes));
  CHECK(same_bits(codes.read(), book));
}

// Philox4x32-10's first word, written out again from the paper.
uint32_t philox_word(uint32_t c0, uint32_t c1, uint32_t c2, uint32_t c3, uint64_t seed) {
  uint32_t c[4] = {c0, c1, c2, c3}, key[2] = {static_cast<uint32_t>(seed), static_cast<uint32_t>(seed >> 32)};
  for (int round = 0; round < 10; round++) {
    uint64_t p = 0xD2511F53ull * c[0], q = 0xCD9E8D57ull * c[2];
    uint32_t next[4] = {static_cast<uint32_t>(q >> 32) ^ c[1] ^ key[0], static_cast<uint32_t>(q),
                        static_cast<uint32_t>(p >> 32) ^ c[3] ^ key[1], static_cast<uint32_t>(p)};
    std::copy(next, next + 4, c);
    key[0] += 0x9E3779B9, key[1] += 0xBB67AE85;
  }
  return c[0];
}

// Codes with a low average count become the rows that the header names, with state that keeps them there; the others
// stay as they are.
void dead_codes_begin_again(Device &device) {
  Rng rng(seed() + 9);
  const int64_t k = 50, d = 5, n = 333, step = 7;
  const double decay = 0.9, threshold = 2.0, debias = 1.0 / (1.0 - std::pow(decay, step));
  std::vector<float> book = gaussian(rng, k * d), rows = gaussian(rng, n * d), counts_before, sums_before;
  for (int64_t i = 0; i < k; i++) counts_before.push_back(i % 3 ? 3.0f : 0.5f);
  sums_before = gaussian(rng, k * d);
  Codebook codebook(device, book, k, d);
  Tensor<float> x(device, {n, d}, rows), counts(device, {k}, counts_before), sums(device, {k, d}, sums_before);
  Tensor<int32_t> restarted(device, {1});
  ts_vq_restart_params params{sizeof params, 0, 0x123456789abcdefull, step, decay, threshold};
  OK(device, ts_vq_restart(device.stream, codebook.handle, &params, x, counts, sums, restarted));
  Tensor<float> codes(device, {k, d});
  OK(device, ts_codebook_read(device.stream, codebook.handle, codes));
  std::vector<float> got = codes.read(), counts_after = counts.read(), sums_after = sums.read();
  int32_t dead = 0;
  for (int64_t i = 0; i < k; i++) {
    auto at = static_cast<size_t>(i);
    const float *code = got.data() + i * d, *want = book.data() + i * d;
    if (static_cast<double>(counts_before[at]) * debias < threshold) {
      dead++;
      uint32_t r = philox_word(static_cast<uint32_t>(i), 0x52535452, step, 0, params.seed);
      want = rows.data() + static_cast<int64_t>((static_cast<uint64_t>(r) * n) >> 32) * d;
      CHECK(std::fabs(static_cast<double>(counts_after[at]) * debias - threshold) < 1e-6);
      for (int64_t j = 0; j < d; j++)
        CHECK(std::fabs(sums_after[static_cast<size_t>(i * d + j)] / counts_after[at] - want[j]) < 1e-6);
    } else {
      CHECK(counts_after[at] == counts_before[at]);
      CHECK(std::equal(sums_before.data() + i * d, sums_before.data() + (i + 1) * d, sums_after.data() + i * d));
    }
    CHECK(std::equal(code, code + d, want));
  }
  CHECK(dead == 17 && restarted.read()[0] == dead);
}

// Sums that are not finite: at once or at the next synchronise it is a fault, and whatever the codes are by then,
// nothing reads out of bounds.
void ema_of_nonfinite_sums(Device &device) {
  Rng rng(seed() + 11);
  const int64_t k = 5, d = 3, n = 70;
  std::vector<float> book = gaussian(rng, k * d), bad(k * d, NAN);
  Codebook codebook(device, book, k, d);
  Tensor<int32_t> counts(device, {k}, std::vector<int32_t>(k, 14)), codes(device, {n});
  Tensor<float> sums(device, {k, d}, bad), x(device, {n, d}, gaussian(rng, n * d)), quantized(device, {n, d});
  Tensor<float> hidden_counts(device, {k}, std::vector<float>(k)),
      hidden_sums(device, {k, d}, std::vector<float>(k * d));
  Tensor<double> error(device, {1});
  ts_vq_ema_params params{sizeof params, 0, 1, 0.99, 1e-5};
  ts_status status =
      ts_vq_ema_update(device.stream, codebook.handle, &params, counts, sums, hidden_counts, hidden_sums);
  if (status == TS_OK) ts_vq_quantize(device.stream, codebook.handle, x, codes, quantized, error, counts, sums);
  if (status == TS_OK) status = ts_stream_synchronize(device.stream);
  CHECK(status == TS_DATA_FAULT);
  ts_fault fault = take_fault(device);
  CHECK(fault.kind == TS_FAULT_NONFINITE_CODE && fault.row == 0 && std::string(fault.op) == "vq_ema_update");
  // The next version is as good as any.
  Tensor<float> good(device, {k, d}, book);
  OK(device, ts_codebook_update(device.stream, codebook.handle, good));
  OK(device, ts_vq_assign(device.stream, codebook.handle, x, codes));
  for (int32_t code : codes.read()) CHECK(code >= 0 && code < k);
}

// The whole loss in float64: a downstream loss sum(w q) with the straight-through q = x + sg[e - x], plus
// beta mean((x - sg[e])^2) + mean((sg[x] - e)^2). Its derivatives by x and by e are found by finite differences, in
// which sg[] holds a value fixed.
struct Loss {
  std::vector<double> w;
  double beta;
  double at(const std::vector<double> &x, const std::vector<double> &fixed_x, const std::vector<double> &e,
            const std::vector<double> &fixed_e) const {
    double sum = 0;
    auto size = static_cast<double>(x.size());
    for (size_t i = 0; i < x.size(); i++) {
      sum += w[i] * (x[i] + (fixed_e[i] - fixed_x[i]));
      sum += beta * (x[i] - fixed_e[i]) * (x[i] - fixed_e[i]) / size;
      sum += (fixed_x[i] - e[i]) * (fixed_x[i] - e[i]) / size;
    }
    return sum;
  }
};

void gradients(Device &device) {
  Rng rng(seed() + 7);
  const int64_t n = 60, k = 9, d = 7;
  const auto size = static_cast<size_t>(n * d);
  for (double beta : {0.0, 0.25, 2.0}) {
    Case c = make_case(rng, 0, n, k, d);
    std::vector<float> weights = gaussian(rng, size);
    std::vector<int32_t> assigned = brute_force(c.x, c.codes, n, k, d), counts_now;
    std::vector<float> sums_now;
    plain_scatter(c.x, assigned, n, k, d, &counts_now, &sums_now);
    Loss loss{{weights.begin(), weights.end()}, beta};
    std::vector<double> x(c.x.begin(), c.x.end()), e(size);
    for (size_t i = 0; i < size; i++) e[i] = c.codes[static_cast<size_t>(assigned[i / d]) * d + i % d];

    Codebook codebook(device, c.codes, k, d);
    std::vector<float> rows(e.begin(), e.end());
    Tensor<float> tx(device, {n, d}, c.x), tq(device, {n, d}, rows), tg(device, {n, d}, weights), dx(device, {n, d});
    Tensor<float> sums(device, {k, d}, sums_now), grad(device, {k, d});
    Tensor<int32_t> counts(device, {k}, counts_now);
    OK(device, ts_vq_backward(device.stream, beta, tx, tq, tg, dx));
    OK(device, ts_vq_codebook_grad(device.stream, codebook.handle, 2.0 / (n * d), counts, sums, grad));
    std::vector<float> got_x = dx.read(), got_codes = grad.read();

    const double h = 1e-4;
    for (size_t i = 0; i < size; i++) {
      std::vector<double> up = x, down = x;
      up[i] += h, down[i] -= h;
      double want = (loss.at(up, x, e, e) - loss.at(down, x, e, e)) / (2 * h);
      CHECK_MSG(std::fabs(got_x[i] - want) < 1e-5, "beta %g: dx[%zu] %g, must be %g", beta, i,
                static_cast<double>(got_x[i]), want);
    }
    for (size_t j = 0; j < static_cast<size_t>(k * d); j++) {
      std::vector<double> up = e, down = e;
      for (size_t i = 0; i < size; i++)
        if (static_cast<size_t>(assigned[i / d]) == j / d && i % d == j % d) up[i] += h, down[i] -= h;
      double want = (loss.at(x, x, up, e) - loss.at(x, x, down, e)) / (2 * h);
      CHECK_MSG(std::fabs(got_codes[j] - want) < 1e-5, "beta %g: dcodes[%zu] %g, must be %g", beta, j,
                static_cast<double>(got_codes[j]), want);
    }

    // In place, and without a gradient from above: commitment alone, which is 0 for beta = 0.
    OK(device, ts_vq_backward(device.stream, beta, tx, tq, tg, tg));
    CHECK(same_bits(tg.read(), got_x));
    OK(device, ts_vq_backward(device.stream, beta, tx, tq, nullptr, dx));
    got_x = dx.read();
    for (size_t i = 0; i < size; i++)
      CHECK(std::fabs(got_x[i] - beta * 2 * (x[i] - e[i]) / static_cast<double>(size)) < 1e-6);
  }
}

}  // namespace

int main() {
  run("scatter adds in the one order", scatter_order);
  run("codes out of range", codes_out_of_range);
  run("fused quantise", fused_quantise);
  run("fused quantise does not depend on threads", quantise_threads);
  run("squared error does not depend on the caller's rounding", quantise_caller_rounding);
  run("steady calls allocate nothing", steady_calls_allocate_nothing);
  run("moving averages are Sonnet's", ema_is_sonnets);
  run("training does not depend on the caller's rounding", training_caller_rounding);
  run("moving averages without rows", ema_without_rows);
  run("moving averages of sums that are not finite", ema_of_nonfinite_sums);
  run("gradients and beta's routing", gradients);
  run("dead codes begin again", dead_codes_begin_again);
  return finish();
}
