// The nearest-code search from inside, family by family: the certificate carries its exactness, a family whose codes
// differ is noticed, and every way to share out rows, codes and shared memory gives the same codes. What the search
// promises through the header is tested by native/tests/test_vq_exact.cpp.
#include <cstdarg>
#include <functional>

#include "backend/codebook.h"
#include "backend/family.h"
#include "backend/ops.h"
#include "backend/search.h"
#include "kernel_test.h"
#include "test_vq_reference.h"

namespace cuda = tessera::cuda;
using namespace tessera::test;

namespace {

ts_status fail(ts_report *report, ts_status status, const char *format, ...) {
  va_list arguments;
  va_start(arguments, format);
  vsnprintf(report->error.message, sizeof report->error.message, format, arguments);
  va_end(arguments);
  return status;
}
ts_status fault(ts_report *, ts_fault_kind, int64_t, const char *) { return TS_DATA_FAULT; }
void account(void *, int64_t) {}
const ts_host test_host = {TS_ABI_VERSION, fail, fault, account};

const cuda::Family *const kFamilies[] = {&cuda::fp32_simt, &cuda::fp16_mma};

// The emulated device with `shared` KB of shared memory, and a stream on it.
class Emulated {
 public:
  explicit Emulated(int shared = 227) {
    setenv("TESSERA_EMULATION_SHARED", std::to_string(shared).c_str(), 1);
    CHECK(cuda::device_open(0, nullptr, &report_, &device_) == TS_OK);
    CHECK(cuda::stream_open(device_, 0, &report_, &stream_) == TS_OK);
  }
  ~Emulated() {
    cuda::stream_close(stream_);
    cuda::device_close(device_);
    unsetenv("TESSERA_EMULATION_SHARED");
  }

  cuda::Device *device() { return static_cast<cuda::Device *>(device_); }
  ts_report *report() { return &report_; }

  // Codes of the case's rows, and how its first chunk was screened.
  std::vector<int32_t> search(const cuda::Family *family, const Case &c, cuda::ScreenLaunch *launch = nullptr) {
    cuda::Stream *s = cuda::Stream::of(stream_);
    cuda::Codebook book(device(), family, c.k, c.d);
    ok(book.open(&report_));
    std::copy(c.codes.begin(), c.codes.end(), book.codes());  // the emulator's memory is the host's
    ok(book.pack(s));
    DeviceArray<float> x(c.x);
    DeviceArray<int32_t> codes(static_cast<size_t>(c.n));
    cuda::FaultSlot slot;
    ok(s->faults.begin(TS_FAULT_NONFINITE_ROW, "vq_assign", &slot));
    ok(cuda::search(s, &book, x.data(), c.n, codes.data(), slot));
    ok(cuda::stream_synchronize(stream_));
    if (launch) *launch = family->plan(device(), book.view(), static_cast<int>(std::min<int64_t>(c.n, 3072)));
    return codes.read();
  }

  // Rows that the searches since the last call scanned.
  uint64_t scanned() {
    ts_vq_stats stats{};
    stats.struct_size = sizeof stats;
    ok(cuda::vq_statistics(stream_, 1, &stats));
    return stats.scanned_rows;
  }

 private:
  void ok(ts_status status) { CHECK_MSG(status == TS_OK, "status %d: %s", status, report_.error.message); }

  ts_report report_{};
  void *device_ = nullptr, *stream_ = nullptr;
};

int64_t differences(const std::vector<int32_t> &a, const std::vector<int32_t> &b) {
  int64_t count = 0;
  for (size_t i = 0; i < a.size(); i++) count += a[i] != b[i];
  return count;
}

// With every bound multiplied by 0 the same search misses codes on hostile inputs; with the bounds as they are it does
// not.
void certificate() {
  Emulated gpu;
  Rng rng(seed());
  for (const cuda::Family *family : kFamilies) {
    int64_t missed = 0, wrong = 0;
    for (int kind = 0; kind < kKindCount; kind++) {
      const int64_t dims[] = {2, 33, 64};
      Case c = make_case(rng, kind, 300, 150, dims[(static_cast<uint64_t>(kind) + seed()) % 3]);
      const std::vector<int32_t> expected = brute_force(c.x, c.codes, c.n, c.k, c.d);
      cuda::certificate_factor = 0.0f;
      missed += differences(gpu.search(family, c), expected);
      cuda::certificate_factor = 1.0f;
      wrong += differences(gpu.search(family, c), expected);
    }
    printf("        %s: without the certificate %lld rows wrong, with it %lld\n", family->name,
           static_cast<long long>(missed), static_cast<long long>(wrong));
    CHECK_MSG(missed > 10, "%s: the inputs do not need the certificate", family->name);
    CHECK_MSG(wrong == 0, "%s: wrong codes", family->name);
  }
}

// The trial before a family's first use passes what is right, and fails scores that are further off than their bound.
void trial() {
  Emulated gpu;
  bool agrees = false;
  CHECK(cuda::agrees_with_simt(gpu.device(), &cuda::fp16_mma, gpu.report(), &agrees) == TS_OK && agrees);
  cuda::certificate_factor = 0.0f;
  CHECK(cuda::agrees_with_simt(gpu.device(), &cuda::fp16_mma, gpu.report(), &agrees) == TS_OK && !agrees);
  cuda::certificate_factor = 1.0f;
}

// A way to share out the work: shapes that must lead to it.
struct Way {
  const char *name;
  int shared;  // KB
  int64_t n, k, d;
  std::function<bool(const cuda::ScreenLaunch &)> is_it;
};

void every_plan() {
  Rng rng(seed() + 1);
  using Launch = cuda::ScreenLaunch;
  auto deep = [](int depth) { return [depth](const Launch &l) { return l.depth == depth; }; };
  const Way ways[] = {
      {"codes stay, tiles follow each other", 227, 6200, 300, 40,
       [](const Launch &l) { return l.plan.codes_stay && l.blocks < l.plan.tiles && l.splits == 1; }},
      {"codes stay, copies are tiles ahead", 227, 3100, 100, 20,
       [](const Launch &l) { return l.plan.codes_stay && l.plan.kept_tiles > 2 && l.blocks < l.plan.tiles; }},
      {"codes stay, steps of several chunks", 227, 1200, 200, 150,
       [](const Launch &l) { return l.plan.codes_stay && l.plan.chunks == 3; }},
      {"rows stay", 227, 300, 1300, 70,
       [](const Launch &l) { return !l.plan.codes_stay && l.plan.kept_tiles == 1 && l.splits > 1; }},
      {"rows stay, many tiles", 99, 1300, 600, 64,
       [](const Launch &l) { return !l.plan.codes_stay && l.plan.kept_tiles == 1 && l.splits == 1; }},
      {"nothing stays", 99, 140, 1500, 400,
       [](const Launch &l) { return !l.plan.codes_stay && l.plan.kept_tiles == 0 && l.plan.panels_per_split > 1; }},
      {"little shared memory, shallow steps", 99, 200, 140, 400, deep(32)},
      {"short codes", 227, 200, 140, 16, deep(16)},
      {"medium codes", 227, 200, 140, 17, deep(32)},
      {"long codes", 227, 200, 140, 33, deep(64)},
      {"as many splits as there can be", 227, 50, 2048, 12, [](const Launch &l) { return l.splits == 8; }},
  };
  for (const Way &way : ways) {
    Emulated gpu(way.shared);
    for (int kind : {11, 14}) {  // clustered, which a screen decides, and crowds
      Case c = make_case(rng, kind, way.n, way.k, way.d);
      const std::vector<int32_t> expected = brute_force(c.x, c.codes, c.n, c.k, c.d);
      Launch launch{};
      CHECK_MSG(differences(gpu.search(&cuda::fp16_mma, c, &launch), expected) == 0, "%s, %s: wrong codes", way.name,
                c.name);
      const uint64_t scanned = gpu.scanned();
      CHECK_MSG(kind == 14 || scanned == 0, "%s: %llu rows were scanned", way.name,
                static_cast<unsigned long long>(scanned));
      CHECK_MSG(way.is_it(launch), "%s: the plan is another one", way.name);
      CHECK_MSG(launch.shared_bytes <= static_cast<size_t>(way.shared) * 1024, "%s: %zu bytes of shared memory",
                way.name, launch.shared_bytes);
    }
  }
}

}  // namespace

int main() {
  cuda::host = &test_host;
  return run_cases({{"the certificate carries the exactness", certificate},
                    {"the trial of a family", trial},
                    {"every plan of a screen", every_plan}});
}
