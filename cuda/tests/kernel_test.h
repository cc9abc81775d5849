// What the emulator's own tests share: checks that count, and launches that end at once with their fault.
#pragma once

#include <cuda_runtime.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>
#include <vector>

#include "backend/launch.h"
#include "harness.h"

namespace tessera::test {

// A stream of the runtime itself, and the fault of the last launch.
class Runner {
 public:
  Runner() { cudaStreamCreateWithFlags(&stream_, cudaStreamNonBlocking); }
  ~Runner() { cudaStreamDestroy(stream_); }

  cudaStream_t stream() const { return stream_; }

  // Waits for what was launched; returns the emulator's message, empty if all went well.
  std::string finish() {
    cudaError_t error = cudaStreamSynchronize(stream_);
    std::string text = error == cudaSuccess ? "" : cudaGetErrorString(error);
    cudaDeviceReset();
    return text;
  }

 private:
  cudaStream_t stream_ = nullptr;
};

// Device memory that begins with the given values.
template <class T>
class DeviceArray {
 public:
  explicit DeviceArray(size_t n) : n_(n) { cudaMalloc(&memory_, n * sizeof(T)); }
  explicit DeviceArray(const std::vector<T> &values) : DeviceArray(values.size()) {
    memcpy(memory_, values.data(), n_ * sizeof(T));
  }
  ~DeviceArray() { cudaFree(memory_); }
  DeviceArray(const DeviceArray &) = delete;
  DeviceArray &operator=(const DeviceArray &) = delete;

  T *data() const { return static_cast<T *>(memory_); }
  // After the stream was waited for.
  std::vector<T> read() const { return {data(), data() + n_}; }

 private:
  size_t n_;
  void *memory_ = nullptr;
};

struct TestCase {
  const char *name;
  void (*body)();
};

inline int run_cases(const std::vector<TestCase> &cases) {
  for (const TestCase &c : cases) {
    if (!chosen(c.name)) continue;
    int before = failed;
    c.body();
    if (failed == before) passed++;
    printf("  %s  %s\n", failed == before ? "pass" : "FAIL", c.name);
  }
  return finish();
}

inline bool contains(const std::string &text, const char *part) { return text.find(part) != std::string::npos; }

}  // namespace tessera::test
