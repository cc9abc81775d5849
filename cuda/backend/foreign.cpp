// Memory and streams that another library of the process made on the same GPU: checked, and then used like our own.
#include <cstdint>
#include <new>

#include "backend/stream.h"

namespace tessera::cuda {
namespace {

// One byte of memory that is said to be the device's.
ts_status check_byte(const Device *device, const unsigned char *address, ts_report *report) {
  cudaPointerAttributes attributes{};
  cudaError_t error = cudaPointerGetAttributes(&attributes, address);
  if (error == cudaErrorInvalidValue) {  // what older drivers answer for memory that CUDA does not know
    cudaGetLastError();
    attributes.type = cudaMemoryTypeUnregistered;
  } else {
    TS_TRY(check(report, error, "cudaPointerGetAttributes"));
  }
  const void *shown = address;
  if (attributes.type != cudaMemoryTypeDevice && attributes.type != cudaMemoryTypeManaged)
    return host->fail(report, TS_INVALID_ARGUMENT, "ts_memory_check: the byte at %p is %s, and not memory of a device",
                      shown, attributes.type == cudaMemoryTypeHost ? "pinned host memory" : "no memory of CUDA's");
  if (attributes.type == cudaMemoryTypeDevice && attributes.device != device->ordinal)
    return host->fail(report, TS_INVALID_ARGUMENT,
                      "ts_memory_check: the byte at %p is memory of cuda:%d, not of cuda:%d", shown, attributes.device,
                      device->ordinal);
  return TS_OK;
}

// An event of the device can only be recorded in streams of the same one.
ts_status check_stream(cudaStream_t stream, ts_report *report) {
  cudaEvent_t event = nullptr;
  TS_TRY(TS_CUDA(report, cudaEventCreateWithFlags(&event, cudaEventDisableTiming)));
  cudaError_t error = cudaEventRecord(event, stream);
  cudaEventDestroy(event);
  if (error == cudaSuccess) return TS_OK;
  cudaGetLastError();
  return host->fail(report, TS_INVALID_ARGUMENT,
                    "ts_stream_wrap: queue 0x%llx is no open stream of this device (cudaEventRecord: %s)",
                    static_cast<unsigned long long>(reinterpret_cast<uintptr_t>(stream)), cudaGetErrorName(error));
}

}  // namespace

ts_status memory_check(void *device, const void *address, uint64_t bytes, ts_report *report) {
  auto *d = static_cast<Device *>(device);
  TS_TRY(TS_CUDA(report, d->use()));
  auto *first = static_cast<const unsigned char *>(address);
  TS_TRY(check_byte(d, first, report));
  return check_byte(d, first + (bytes - 1), report);
}

ts_status stream_wrap(void *device, uint64_t queue, ts_report *report, void **stream) {
  if (queue == 0)
    return host->fail(report, TS_INVALID_ARGUMENT, "ts_stream_wrap: queue is 0; CUDA's default stream is 1");
  if (queue == 2)
    return host->fail(report, TS_INVALID_ARGUMENT,
                      "ts_stream_wrap: queue is 2, cudaStreamPerThread, which is another one in each thread");
  auto *d = static_cast<Device *>(device);
  TS_TRY(TS_CUDA(report, d->use()));
  auto cuda = reinterpret_cast<cudaStream_t>(static_cast<uintptr_t>(queue));
  TS_TRY(check_stream(cuda, report));
  auto *opened = new (std::nothrow) Stream(d, report);
  if (!opened) return host->fail(report, TS_OUT_OF_MEMORY, "no memory for the stream");
  opened->cuda = cuda;
  opened->owns_cuda = false;
  ts_status status = opened->faults.open(d, cuda, report);
  if (status != TS_OK) {
    delete opened;
    return status;
  }
  *stream = opened;
  return TS_OK;
}

uint64_t stream_queue(void *stream) { return reinterpret_cast<uintptr_t>(Stream::of(stream)->cuda); }

}  // namespace tessera::cuda
