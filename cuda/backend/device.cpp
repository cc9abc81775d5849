#include "backend/device.h"

#include <cstdio>
#include <new>
#include <string>

#include "kernels/platform.cuh"

namespace tessera::cuda {
namespace {

// mma.m16n8k16, cp.async and ldmatrix together are there from 8.0 on.
constexpr int kLowestMajor = 8;

// The number of GPUs, or a sentence that says why there is none.
int count_devices(std::string *reason) {
  int count = 0;
  cudaError_t error = cudaGetDeviceCount(&count);
  if (error == cudaSuccess && count > 0) return count;
  cudaGetLastError();
  if (error == cudaErrorInsufficientDriver) {
    *reason = "no NVIDIA driver was found that is new enough for this build";
  } else if (error == cudaErrorNoDevice || error == cudaSuccess) {
    *reason = "the NVIDIA driver sees no GPU";
  } else {
    *reason = cudaGetErrorString(error);
  }
  if (error != cudaSuccess) *reason += std::string(" (cudaGetDeviceCount: ") + cudaGetErrorName(error) + ")";
  return 0;
}

}  // namespace

int32_t device_count(char *detail, uint64_t capacity) {
  std::string text;
  int count = count_devices(&text);
  for (int i = 0; i < count; i++) {
    cudaDeviceProp properties;
    if (cudaGetDeviceProperties(&properties, i) == cudaSuccess)
      text += std::string(i > 0 ? ", " : "") + properties.name;
  }
  snprintf(detail, capacity, "%s", text.c_str());
  return count;
}

ts_status device_open(int32_t ordinal, void *host_device, ts_report *report, void **device) {
  std::string reason;
  int count = count_devices(&reason);
  if (count == 0)
    return host->fail(report, TS_UNAVAILABLE, "device cuda:%d cannot be had: %s", ordinal, reason.c_str());
  if (ordinal >= count)
    return host->fail(report, TS_UNAVAILABLE, "device cuda:%d cannot be had: this machine has %d GPU%s, from cuda:0 on",
                      ordinal, count, count > 1 ? "s" : "");
  auto *opened = new (std::nothrow) Device{ordinal, host_device};
  if (!opened) return host->fail(report, TS_OUT_OF_MEMORY, "no memory for the device");
  ts_status status = TS_CUDA(report, cudaGetDeviceProperties(&opened->properties, ordinal));
  if (status == TS_OK) status = TS_CUDA(report, opened->use());
  const cudaDeviceProp &p = opened->properties;
  if (status == TS_OK && p.major < kLowestMajor)
    status = host->fail(report, TS_UNAVAILABLE,
                        "device cuda:%d cannot be had: %s has compute capability %d.%d, and %d.0 is the least", ordinal,
                        p.name, p.major, p.minor, kLowestMajor);
  if (status != TS_OK) {
    delete opened;
    return status;
  }
  *device = opened;
  return TS_OK;
}

void device_close(void *device) {
  auto *d = static_cast<Device *>(device);
  d->use();
  delete d;
}

ts_status device_describe(void *device, ts_device_info *info, ts_report *) {
  const cudaDeviceProp &p = static_cast<Device *>(device)->properties;
  info->max_threads = 0;
  info->memory_bytes = p.totalGlobalMem;
  snprintf(info->description, sizeof info->description, "%.*s", static_cast<int>(sizeof info->description - 1), p.name);
  snprintf(info->instruction_sets, sizeof info->instruction_sets, "compute capability %d.%d", p.major, p.minor);
  return TS_OK;
}

ts_status alloc(void *device, uint64_t bytes, void **address, ts_report *report) {
  auto *d = static_cast<Device *>(device);
  TS_TRY(TS_CUDA(report, d->use()));
  cudaError_t error = d->allocator.allocate(bytes, address);
  if (error == cudaErrorMemoryAllocation)
    return host->fail(report, TS_OUT_OF_MEMORY, "%llu bytes of device memory could not be had (cudaMalloc: %s)",
                      static_cast<unsigned long long>(bytes), cudaGetErrorName(error));
  return check(report, error, "cudaMalloc");
}

void release(void *device, void *address) {
  auto *d = static_cast<Device *>(device);
  d->use();
  d->allocator.release(address);
}

ts_status Memory::reserve(Device *device, size_t bytes, ts_report *report, const char *what) {
  if (bytes <= bytes_) return TS_OK;
  void *grown = nullptr;
  cudaError_t error = device->allocator.allocate(bytes, &grown);
  if (error == cudaErrorMemoryAllocation)
    return host->fail(report, TS_OUT_OF_MEMORY, "%zu bytes of device memory for %s could not be had (cudaMalloc: %s)",
                      bytes, what, cudaGetErrorName(error));
  TS_TRY(check(report, error, "cudaMalloc"));
  clear();
  device_ = device;
  data_ = grown;
  bytes_ = bytes;
  host->account(device->host_device, static_cast<int64_t>(bytes));
  return TS_OK;
}

void Memory::clear() {
  if (!data_) return;
  device_->use();
  device_->allocator.release(data_);
  host->account(device_->host_device, -static_cast<int64_t>(bytes_));
  data_ = nullptr;
  bytes_ = 0;
}

}  // namespace tessera::cuda
