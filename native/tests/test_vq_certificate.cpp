// The certificate carries the exactness: with every bound multiplied by 0 the same search must miss codes on hostile
// inputs, and with the bounds as they are it must not. Linked with a copy of the quantiser whose factor can be set.
#include "cpu/vq/search.h"
#include "cpu/vq/vq.h"
#include "test_vq_reference.h"

namespace tessera::cpu {

// The backend's objects, as far as the quantiser needs them.
const ts_host *host = nullptr;

Scratch::~Scratch() { std::free(data_); }
void *Scratch::reserve(size_t bytes) {
  if (bytes <= capacity_) return data_;
  std::free(data_);
  capacity_ = (bytes + 63) / 64 * 64;
  return data_ = std::aligned_alloc(64, capacity_);
}

}  // namespace tessera::cpu

using namespace tessera::test;
namespace cpu = tessera::cpu;

namespace {

ts_status fail(ts_report *, ts_status status, const char *, ...) { return status; }
ts_status fault(ts_report *, ts_fault_kind, int64_t, const char *) { return TS_DATA_FAULT; }
void account(void *, int64_t) {}
const ts_host test_host = {TS_ABI_VERSION, fail, fault, account};

// Rows whose code is not the float64 answer.
int64_t wrong_rows(const Case &c, const std::vector<int32_t> &expected, const std::string &kernel, float factor,
                   bool *projected = nullptr) {
  cpu::vq::certificate_factor = factor;
  ts_report report{};
  cpu::Device device{nullptr};
  cpu::Stream stream(&device, 1, &report);
  void *codebook = nullptr;
  force_kernel(kernel);
  ts_status status = cpu::codebook_alloc(&device, c.k, c.d, &report, &codebook);
  force_kernel("");
  if (status == TS_UNAVAILABLE) return -1;
  CHECK(status == TS_OK);
  std::copy(c.codes.begin(), c.codes.end(), cpu::codebook_codes(codebook));
  CHECK(cpu::codebook_pack(&stream, codebook, "test") == TS_OK);
  const auto *book = static_cast<const cpu::vq::Codebook *>(codebook);
  if (projected) *projected = book->screened != book;
  std::vector<int32_t> codes(static_cast<size_t>(c.n));
  CHECK(cpu::vq_assign(&stream, codebook, c.x.data(), c.n, codes.data()) == TS_OK);
  cpu::codebook_free(codebook);
  int64_t wrong = 0;
  for (size_t i = 0; i < codes.size(); i++) wrong += codes[i] != expected[i];
  return wrong;
}

// Codes near a subspace are screened by their coordinates in it, by every family but int8, and the certificate carries
// that too.
void projection(const std::string &kernel) {
  Rng rng(seed() + 1);
  int64_t missed = 0, wrong = 0;
  for (int repeat = 0; repeat < 6; repeat++) {
    Case c = make_case(rng, kSubspace, 400, 150 + 150 * repeat, 32 + repeat * 31);
    std::vector<int32_t> expected = brute_force(c.x, c.codes, c.n, c.k, c.d);
    bool projected = false;
    int64_t without = wrong_rows(c, expected, kernel, 0.0f, &projected);
    if (without < 0) return;
    CHECK_MSG(projected == (kernel != "int8-vnni"), "kernel %s: codes of %lld numbers are%s projected", kernel.c_str(),
              static_cast<long long>(c.d), projected ? "" : " not");
    if (!projected) return;
    missed += without;
    wrong += wrong_rows(c, expected, kernel, 1.0f);
  }
  printf("  kernel %-12s in a subspace: without the certificate %lld rows wrong, with it %lld\n", kernel.c_str(),
         static_cast<long long>(missed), static_cast<long long>(wrong));
  bool ok = CHECK_MSG(missed > 30, "kernel %s: codes near a subspace do not need the certificate", kernel.c_str());
  ok &= CHECK_MSG(wrong == 0, "kernel %s: wrong codes near a subspace", kernel.c_str());
  passed += ok;
}

}  // namespace

int main() {
  cpu::host = &test_host;
  Rng rng(seed());
  for (const std::string &kernel : kernels(Device{"cpu"})) {
    if (kernel.empty()) continue;
    int64_t missed = 0, wrong = 0;
    for (int kind = 0; kind < kKindCount; kind++) {
      for (int repeat = 0; repeat < 3; repeat++) {
        Case c = make_case(rng, kind, 300, 150, 2 + repeat * 31);
        std::vector<int32_t> expected = brute_force(c.x, c.codes, c.n, c.k, c.d);
        missed += wrong_rows(c, expected, kernel, 0.0f);
        wrong += wrong_rows(c, expected, kernel, 1.0f);
      }
    }
    if (missed < 0) {
      printf("  skip  kernel %s cannot run here\n", kernel.c_str());
      skipped++;
      continue;
    }
    printf("  kernel %-12s without the certificate %lld rows wrong, with it %lld\n", kernel.c_str(),
           static_cast<long long>(missed), static_cast<long long>(wrong));
    bool ok = CHECK_MSG(missed > 100, "kernel %s: the inputs do not need the certificate", kernel.c_str());
    ok &= CHECK_MSG(wrong == 0, "kernel %s: wrong codes", kernel.c_str());
    passed += ok;
    projection(kernel);
  }
  return finish();
}
