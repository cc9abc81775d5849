// What the native tests share: checks that count, seeded inputs, and tensors on a device whose outputs start as poison.
//
// A test is a function of a Device; `run` calls it on every device of this machine, and counts a device that is not
// here as skipped, with its reason. TESSERA_TEST_DEVICES (comma-separated) restricts the list and TESSERA_TEST_SEED
// repeats a run. TESSERA_TEST_CASE runs only the cases whose names contain it, and TESSERA_TEST_FAIL_FAST=1 ends the
// test at the first check that fails: for those who look for any failure, as cuda/tests/remove_each.sh does.
#pragma once

#include <dlfcn.h>

#include <algorithm>
#include <cmath>
#include <cstdarg>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <random>
#include <string>
#include <vector>

#include "tessera.h"

namespace tessera::test {

inline int passed = 0, failed = 0, skipped = 0;
inline int failures_printed = 0;
inline const bool fail_fast = getenv("TESSERA_TEST_FAIL_FAST") != nullptr;
inline std::vector<std::string> explained;  // absent devices whose reason was printed

// A check that prints where it failed and with what; at most 20 lines, so that one fault does not bury the rest.
__attribute__((format(printf, 4, 5))) inline bool check(bool ok, const char *file, int line, const char *format, ...) {
  if (ok) return true;
  failed++;
  if (failures_printed++ < 20) {
    va_list arguments;
    va_start(arguments, format);
    fprintf(stderr, "%s:%d: ", file, line);
    vfprintf(stderr, format, arguments);
    fputc('\n', stderr);
    va_end(arguments);
  }
  if (fail_fast) _Exit(1);
  return false;
}

// Whether the case is to be run.
inline bool chosen(const char *name) {
  static const char *const part = getenv("TESSERA_TEST_CASE");
  return !part || strstr(name, part);
}

#define CHECK(condition) ::tessera::test::check((condition), __FILE__, __LINE__, "%s", #condition)
#define CHECK_MSG(condition, ...) ::tessera::test::check((condition), __FILE__, __LINE__, __VA_ARGS__)

inline uint64_t seed() {
  static const uint64_t value = [] {
    const char *text = getenv("TESSERA_TEST_SEED");
    uint64_t s = text ? strtoull(text, nullptr, 10) : std::random_device{}();
    printf("seed %llu (TESSERA_TEST_SEED repeats it)\n", static_cast<unsigned long long>(s));
    return s;
  }();
  return value;
}

using Rng = std::mt19937_64;
inline int64_t uniform_int(Rng &rng, int64_t low, int64_t high) {
  return std::uniform_int_distribution<int64_t>(low, high)(rng);
}
inline std::vector<float> gaussian(Rng &rng, size_t n, float scale = 1.0f, float mean = 0.0f) {
  std::normal_distribution<float> distribution;
  std::vector<float> v(n);
  for (auto &x : v) x = mean + scale * distribution(rng);
  return v;
}

// An open device with one stream.
struct Device {
  std::string name;
  ts_device *device = nullptr;
  ts_stream *stream = nullptr;

  // Whether a GPU, or one that is emulated.
  bool is_gpu() const { return name != "cpu"; }

  // Whether every lane is a fiber of a CPU: time is dear, and cases try fewer inputs. A GPU tries all of them.
  bool is_emulated() const { return name == "cuda-emulated"; }

  std::string message() const {
    ts_error error{};
    ts_stream_error(stream, &error);
    return error.message;
  }
};

#define OK(dev, call)                                                                                                  \
  do {                                                                                                                 \
    ts_status status_ = (call);                                                                                        \
    CHECK_MSG(status_ == TS_OK, "%s: %s: status %d: %s", (dev).name.c_str(), #call, status_, (dev).message().c_str()); \
  } while (0)

template <class T>
constexpr int32_t dtype_of() {
  if constexpr (std::is_same_v<T, float>) return TS_F32;
  if constexpr (std::is_same_v<T, double>) return TS_F64;
  if constexpr (std::is_same_v<T, int32_t>) return TS_I32;
  if constexpr (std::is_same_v<T, int64_t>) return TS_I64;
  return TS_U8;
}

// A tensor in device memory, freed with its scope. Without values it is filled with 0xFF bytes: NaN for floats, -1 for
// integers, so that an op that forgets an element is seen.
template <class T>
class Tensor {
 public:
  Tensor(Device &device, std::vector<int64_t> dims) : device_(&device) {
    init(dims);
    upload(std::vector<unsigned char>(bytes_, 0xFF).data());
  }
  Tensor(Device &device, std::vector<int64_t> dims, const std::vector<T> &values) : device_(&device) {
    init(dims);
    CHECK_MSG(values.size() * sizeof(T) == bytes_, "%zu values for a tensor of %zu bytes", values.size(), bytes_);
    upload(values.data());
  }
  ~Tensor() { ts_free(device_->device, allocation_, nullptr); }
  Tensor(const Tensor &) = delete;
  Tensor &operator=(const Tensor &) = delete;

  operator const ts_tensor *() const { return &descriptor_; }
  const ts_tensor &descriptor() const { return descriptor_; }
  uint64_t data() const { return descriptor_.data; }
  size_t bytes() const { return bytes_; }

  std::vector<T> read() const {
    std::vector<T> values(bytes_ / sizeof(T));
    if (bytes_) OK(*device_, ts_copy_to_host(device_->stream, values.data(), descriptor_.data, bytes_));
    return values;
  }

 private:
  // Waits, so that ops of other streams find the values there.
  void upload(const void *values) {
    if (!bytes_) return;
    OK(*device_, ts_copy_to_device(device_->stream, descriptor_.data, values, bytes_));
    OK(*device_, ts_stream_synchronize(device_->stream));
  }
  void init(const std::vector<int64_t> &dims) {
    descriptor_.dtype = dtype_of<T>();
    descriptor_.rank = static_cast<int32_t>(dims.size());
    int64_t n = 1;
    for (size_t i = 0; i < dims.size(); i++) n *= descriptor_.dims[i] = dims[i];
    bytes_ = static_cast<size_t>(n) * sizeof(T);
    ts_error error{};
    CHECK_MSG(ts_alloc(device_->device, bytes_, &allocation_, &error) == TS_OK, "%s", error.message);
    descriptor_.data = allocation_;
  }

  Device *device_;
  ts_tensor descriptor_{};
  uint64_t allocation_ = 0;
  size_t bytes_ = 0;
};

// Devices that the conformance cases run on.
inline std::vector<std::string> device_names() {
  const char *text = getenv("TESSERA_TEST_DEVICES");
  std::string list = text ? text : "cpu,cuda-emulated,cuda:0";
  std::vector<std::string> names;
  for (size_t begin = 0; begin <= list.size();) {
    size_t end = list.find(',', begin);
    if (end == std::string::npos) end = list.size();
    if (end > begin) names.push_back(list.substr(begin, end - begin));
    begin = end + 1;
  }
  return names;
}

// Which devices a case is for. A GPU's stream has no threads, so that a case that is repeated with one thread would
// only be the same again there.
enum class For { kAll, kCpu, kGpu };

// Says which case runs to the recorder of calls (cuda/tests/calls), where that is loaded before the library.
inline void announce(const char *name) {
  static auto listener = reinterpret_cast<void (*)(const char *)>(dlsym(RTLD_DEFAULT, "tessera_test_case"));
  if (listener) listener(name);
}

// Runs one case on every device that it is for, with streams of `threads` threads.
template <class Case>
void run(const char *name, Case &&body, int threads = 2, For devices = For::kAll) {
  if (!chosen(name)) return;
  for (const std::string &device_name : device_names()) {
    Device device{device_name};
    if (devices != For::kAll && (devices == For::kCpu) == device.is_gpu()) continue;
    ts_error error{};
    ts_status status = ts_device_open(device_name.c_str(), &device.device, &error);
    if (status == TS_UNAVAILABLE) {
      if (std::find(explained.begin(), explained.end(), device_name) == explained.end()) {
        printf("  skipped on %s: %s\n", device_name.c_str(), error.message);
        explained.push_back(device_name);
      }
      skipped++;
      continue;
    }
    int before = failed;
    CHECK_MSG(status == TS_OK, "%s", error.message);
    ts_stream_options options{sizeof options, threads};
    CHECK_MSG(ts_stream_open(device.device, &options, &device.stream, &error) == TS_OK, "%s", error.message);
    announce(name);
    body(device);
    announce("no case");
    CHECK_MSG(ts_stream_close(device.stream, &error) == TS_OK, "%s", error.message);
    CHECK_MSG(ts_device_close(device.device, &error) == TS_OK, "%s", error.message);
    if (failed == before) passed++;
    printf("  %s  %-48s %s\n", failed == before ? "pass" : "FAIL", name, device_name.c_str());
    fflush(stdout);
  }
}

// The last line of every test, and its exit code.
inline int finish() {
  printf("%d passed, %d failed, %d skipped\n", passed, failed, skipped);
  if (getenv("TESSERA_TEST_CASE") && passed + failed + skipped == 0) {
    fprintf(stderr, "no case's name contains \"%s\"\n", getenv("TESSERA_TEST_CASE"));
    return 1;
  }
  return failed == 0 ? 0 : 1;
}

}  // namespace tessera::test
