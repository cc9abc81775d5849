// Events: marks in a stream, which other streams wait for and which time what lies between them.
#include <new>

#include "backend/stream.h"

namespace tessera::cuda {
namespace {

struct Event {
  Device *device;
  cudaEvent_t cuda = nullptr;
  bool recorded = false;
};

}  // namespace

ts_status event_open(void *device, ts_report *report, void **event) {
  auto *d = static_cast<Device *>(device);
  TS_TRY(TS_CUDA(report, d->use()));
  auto *opened = new (std::nothrow) Event{d};
  if (!opened) return host->fail(report, TS_OUT_OF_MEMORY, "no memory for the event");
  ts_status status = TS_CUDA(report, cudaEventCreateWithFlags(&opened->cuda, cudaEventDefault));
  if (status != TS_OK) {
    delete opened;
    return status;
  }
  *event = opened;
  return TS_OK;
}

void event_close(void *event) {
  auto *e = static_cast<Event *>(event);
  e->device->use();
  cudaEventDestroy(e->cuda);
  delete e;
}

ts_status event_record(void *stream, void *event) {
  Stream *s = Stream::of(stream);
  auto *e = static_cast<Event *>(event);
  TS_TRY(TS_CUDA(s->report, cudaEventRecord(e->cuda, s->cuda)));
  e->recorded = true;
  return TS_OK;
}

ts_status stream_wait(void *stream, const void *event) {
  Stream *s = Stream::of(stream);
  auto *e = static_cast<const Event *>(event);
  if (!e->recorded) return TS_OK;
  return TS_CUDA(s->report, cudaStreamWaitEvent(s->cuda, e->cuda, 0));
}

ts_status event_elapsed(const void *start, const void *end, double *seconds, ts_report *report) {
  auto *from = static_cast<const Event *>(start), *to = static_cast<const Event *>(end);
  if (!from->recorded || !to->recorded)
    return host->fail(report, TS_INVALID_ARGUMENT, "ts_event_elapsed: %s was never recorded",
                      from->recorded ? "end" : "start");
  TS_TRY(TS_CUDA(report, from->device->use()));
  TS_TRY(TS_CUDA(report, cudaEventSynchronize(from->cuda)));
  TS_TRY(TS_CUDA(report, cudaEventSynchronize(to->cuda)));
  float milliseconds = 0;
  TS_TRY(TS_CUDA(report, cudaEventElapsedTime(&milliseconds, from->cuda, to->cuda)));
  *seconds = static_cast<double>(milliseconds) * 1e-3;
  return TS_OK;
}

}  // namespace tessera::cuda
