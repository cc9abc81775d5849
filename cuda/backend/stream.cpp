#include "backend/stream.h"

#include <algorithm>
#include <new>

#include "backend/carver.h"

namespace tessera::cuda {

Stream *Stream::of(void *stream) {
  auto *s = static_cast<Stream *>(stream);
  s->device->use();
  return s;
}

Stream::~Stream() {
  device->use();
  if (cuda) {
    cudaStreamSynchronize(cuda);
    if (owns_cuda) cudaStreamDestroy(cuda);
  }
}

ts_status Stream::reserve(size_t bytes) {
#if defined(__SANITIZE_ADDRESS__)
  // The next op cuts other arrays (carver.h) out of memory that queued kernels of the emulator have yet to use.
  TS_TRY(TS_CUDA(report, cudaStreamSynchronize(cuda)));
  if (scratch.bytes() > 0) ASAN_UNPOISON_MEMORY_REGION(scratch.as<void>(), scratch.bytes());
#endif
  return scratch.reserve(device, bytes, report, "scratch");
}

unsigned Stream::blocks(int64_t work, int blocks_per_multiprocessor) const {
  int64_t most = int64_t{device->properties.multiProcessorCount} * blocks_per_multiprocessor;
  return static_cast<unsigned>(std::clamp<int64_t>(work, 1, most));
}

ts_status stream_open(void *device, int32_t, ts_report *report, void **stream) {
  auto *d = static_cast<Device *>(device);
  TS_TRY(TS_CUDA(report, d->use()));
  auto *opened = new (std::nothrow) Stream(d, report);
  if (!opened) return host->fail(report, TS_OUT_OF_MEMORY, "no memory for the stream");
  ts_status status = TS_CUDA(report, cudaStreamCreateWithFlags(&opened->cuda, cudaStreamNonBlocking));
  if (status == TS_OK) status = opened->faults.open(d, opened->cuda, report);
  if (status != TS_OK) {
    delete opened;
    return status;
  }
  *stream = opened;
  return TS_OK;
}

void stream_close(void *stream) { delete Stream::of(stream); }

ts_status stream_reserve(void *stream, uint64_t bytes) { return Stream::of(stream)->reserve(bytes); }

ts_status stream_synchronize(void *stream) { return Stream::of(stream)->faults.collect(); }

ts_status copy_to_device(void *stream, void *destination, const void *source, uint64_t bytes) {
  Stream *s = Stream::of(stream);
  return s->staging.to_device(s->cuda, destination, source, bytes, s->report);
}

// The copy is made even if an op was at fault: its other rows are good.
ts_status copy_to_host(void *stream, void *destination, const void *source, uint64_t bytes) {
  Stream *s = Stream::of(stream);
  TS_TRY(s->staging.to_host(s->cuda, destination, source, bytes, s->report));
  return s->faults.collect();
}

ts_status copy(void *stream, void *destination, const void *source, uint64_t bytes) {
  Stream *s = Stream::of(stream);
  return TS_CUDA(s->report, cudaMemcpyAsync(destination, source, bytes, cudaMemcpyDeviceToDevice, s->cuda));
}

}  // namespace tessera::cuda
