// An open device, and memory that a stream keeps on it.
#pragma once

#include "backend/allocator.h"
#include "backend/error.h"

namespace tessera::cuda {

struct Device {
  int ordinal;
  void *host_device;  // the core's
  cudaDeviceProp properties{};
  Allocator allocator{Allocator::policy()};

  // CUDA's current device belongs to the calling thread, which may be a new one at every call.
  cudaError_t use() const { return cudaSetDevice(ordinal); }
};

// Device memory that the backend holds itself, counted in ts_device_memory.
class Memory {
 public:
  Memory() = default;
  ~Memory() { clear(); }
  Memory(const Memory &) = delete;
  Memory &operator=(const Memory &) = delete;

  // At least `bytes`; what was there is lost if it was smaller. Work in flight may still use what is given back.
  ts_status reserve(Device *device, size_t bytes, ts_report *report, const char *what);
  void clear();

  template <class T>
  T *as() const {
    return static_cast<T *>(data_);
  }
  size_t bytes() const { return bytes_; }

 private:
  Device *device_ = nullptr;
  void *data_ = nullptr;
  size_t bytes_ = 0;
};

int32_t device_count(char *detail, uint64_t capacity);
ts_status device_open(int32_t ordinal, void *host_device, ts_report *report, void **device);
void device_close(void *device);
ts_status device_describe(void *device, ts_device_info *info, ts_report *report);
ts_status alloc(void *device, uint64_t bytes, void **address, ts_report *report);
void release(void *device, void *address);

}  // namespace tessera::cuda
