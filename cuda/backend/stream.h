// A stream with what its ops share: scratch memory, staging for copies, data faults.
#pragma once

#include "backend/device.h"
#include "backend/faults.h"
#include "backend/launch.h"
#include "backend/staging.h"

namespace tessera::cuda {

struct Stream {
  Stream(Device *device, ts_report *report) : device(device), report(report) {}
  ~Stream();

  // The stream that an op was given, with its device made current.
  static Stream *of(void *stream);

  // One op's scratch memory; kernels of earlier ops may still use it, which the stream's order takes care of.
  ts_status reserve(size_t bytes);

  // Blocks for a kernel whose loops take what is left over: enough to fill the device, not more than there is work.
  unsigned blocks(int64_t work, int blocks_per_multiprocessor) const;

  Device *device;
  ts_report *report;
  cudaStream_t cuda = nullptr;
  bool owns_cuda = true;  // false for a stream of another library's
  Memory scratch;
  Staging staging;
  Faults faults;
  Memory search_counters;          // kernels/screen.cuh; none before the first search
  const char *search_kernel = "";  // family of the last search
};

// Launches into a Stream; the status has the message.
#define TS_LAUNCH_ON(stream, family, kernel, grid, block, shared_bytes, ...)                                \
  ::tessera::cuda::check((stream)->report,                                                                  \
                         TS_LAUNCH(family, kernel, grid, block, shared_bytes, (stream)->cuda, __VA_ARGS__), \
                         "launch of " #kernel)

ts_status stream_open(void *device, int32_t threads, ts_report *report, void **stream);
void stream_close(void *stream);
ts_status stream_reserve(void *stream, uint64_t bytes);
ts_status stream_synchronize(void *stream);

// foreign.cpp
ts_status memory_check(void *device, const void *address, uint64_t bytes, ts_report *report);
ts_status stream_wrap(void *device, uint64_t queue, ts_report *report, void **stream);
uint64_t stream_queue(void *stream);

ts_status stream_wait(void *stream, const void *event);

ts_status event_open(void *device, ts_report *report, void **event);
void event_close(void *event);
ts_status event_record(void *stream, void *event);
ts_status event_elapsed(const void *start, const void *end, double *seconds, ts_report *report);

ts_status copy_to_device(void *stream, void *destination, const void *source, uint64_t bytes);
ts_status copy_to_host(void *stream, void *destination, const void *source, uint64_t bytes);
ts_status copy(void *stream, void *destination, const void *source, uint64_t bytes);

}  // namespace tessera::cuda
