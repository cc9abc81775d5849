// Searches hostile and random inputs for as long as it is told, on every kernel family of this machine, and compares
// every code with a float64 brute force. A command of its own, because it takes as long as one likes:
//
//   soak_vq [--seconds S] [--rows R]     stops after S seconds (60) or once R rows went through every family
//
// Built with the sanitize preset it is the fuzz target of the search.
#include <chrono>

#include "test_vq_reference.h"

using namespace tessera::test;

namespace {

struct Limits {
  double seconds = 60;
  int64_t rows = INT64_MAX;
};

// A case of any kind and shape whose brute force takes some milliseconds.
Case random_case(Rng &rng) {
  int64_t d = rng() % 4 ? uniform_int(rng, 1, 80) : uniform_int(rng, 1, 1100);
  int64_t k = rng() % 4 ? uniform_int(rng, 1, 300) : uniform_int(rng, 1, 6000);
  int64_t n = std::min<int64_t>(uniform_int(rng, 1, 5000), 10000000 / (k * d) + 1);
  return make_case(rng, static_cast<int>(rng() % kKindCount), n, k, d);
}

int64_t mismatches(Device &device, const Case &c, const std::vector<int32_t> &expected, const std::string &kernel) {
  Codebook codebook(device, c.codes, c.k, c.d, kernel);
  if (!codebook.handle) return 0;
  Tensor<float> x(device, {c.n, c.d}, c.x);
  Tensor<int32_t> codes(device, {c.n});
  OK(device, ts_vq_assign(device.stream, codebook.handle, x, codes));
  std::vector<int32_t> got = codes.read();
  int64_t wrong = 0;
  for (size_t i = 0; i < got.size(); i++) wrong += got[i] != expected[i];
  CHECK_MSG(wrong == 0, "%s, kernel %s, N=%lld K=%lld D=%lld: %lld rows wrong", c.name, kernel.c_str(),
            static_cast<long long>(c.n), static_cast<long long>(c.k), static_cast<long long>(c.d),
            static_cast<long long>(wrong));
  return wrong;
}

void soak(Device &device, const Limits &limits) {
  Rng rng(seed());
  auto start = std::chrono::steady_clock::now();
  int64_t rows = 0, wrong = 0, cases = 0;
  auto seconds = [&] { return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count(); };
  while (seconds() < limits.seconds && rows < limits.rows) {
    Case c = random_case(rng);
    std::vector<int32_t> expected = brute_force(c.x, c.codes, c.n, c.k, c.d);
    for (const std::string &kernel : kernels(device)) wrong += mismatches(device, c, expected, kernel);
    rows += c.n;
    cases++;
  }
  printf("  %lld cases, %lld rows through every family, %lld mismatches, %.0f s\n", static_cast<long long>(cases),
         static_cast<long long>(rows), static_cast<long long>(wrong), seconds());
}

}  // namespace

int main(int argc, char **argv) {
  Limits limits;
  for (int i = 1; i + 1 < argc; i += 2) {
    std::string name = argv[i];
    if (name == "--seconds") limits.seconds = std::stod(argv[i + 1]);
    if (name == "--rows") limits.rows = std::stoll(argv[i + 1]);
  }
  run(
      "soak", [&](Device &device) { soak(device, limits); }, 1);
  return finish();
}
