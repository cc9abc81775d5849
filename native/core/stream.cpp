// Streams, events, and copies between host and device.
#include <cstdio>
#include <cstring>
#include <limits>
#include <new>

#include "core/checks.h"

using tessera::fail;

ts_status ts_stream_open(ts_device *device, const ts_stream_options *options, ts_stream **stream, ts_error *error) {
  if (!device || !stream)
    return fail(error, TS_INVALID_ARGUMENT, "ts_stream_open: %s is NULL", device ? "stream" : "device");
  *stream = nullptr;
  int threads = 1;
  if (options) {
    if (options->struct_size != sizeof *options)
      return fail(error, TS_INVALID_ARGUMENT, "ts_stream_open: options.struct_size is %u but must be %zu",
                  options->struct_size, sizeof *options);
    if (options->threads < 0 || options->threads > 1024)
      return fail(error, TS_INVALID_ARGUMENT, "ts_stream_open: options.threads is %d but must be from 0 to 1024",
                  options->threads);
    if (options->threads > 0) threads = options->threads;
  }
  auto *opened = new (std::nothrow) ts_stream{};
  if (!opened) return fail(error, TS_OUT_OF_MEMORY, "ts_stream_open: no memory for the stream");
  opened->device = device;
  ts_status status = device->backend->stream_open(device->impl, threads, &opened->report, &opened->impl);
  if (status != TS_OK) {
    tessera::pass_on(error, opened->report, status);
    delete opened;
    return status;
  }
  device->children++;
  *stream = opened;
  return TS_OK;
}

ts_status ts_stream_wrap(ts_device *device, uint64_t queue, ts_stream **stream, ts_error *error) {
  if (!device || !stream)
    return fail(error, TS_INVALID_ARGUMENT, "ts_stream_wrap: %s is NULL", device ? "stream" : "device");
  *stream = nullptr;
  if (!device->backend->stream_wrap)
    return fail(error, TS_UNAVAILABLE, "ts_stream_wrap: device %s has no queues of its own", device->name.c_str());
  auto *opened = new (std::nothrow) ts_stream{};
  if (!opened) return fail(error, TS_OUT_OF_MEMORY, "ts_stream_wrap: no memory for the stream");
  opened->device = device;
  ts_status status = device->backend->stream_wrap(device->impl, queue, &opened->report, &opened->impl);
  if (status != TS_OK) {
    tessera::pass_on(error, opened->report, status);
    delete opened;
    return status;
  }
  device->children++;
  *stream = opened;
  return TS_OK;
}

ts_status ts_stream_queue(ts_stream *stream, uint64_t *queue) {
  TS_STREAM_CALL(call, stream);
  if (!call.not_null("queue", queue)) return call.status();
  if (!call.backend()->stream_queue)
    return fail(&call.report()->error, TS_UNAVAILABLE, "ts_stream_queue: device %s has no queues of its own",
                stream->device->name.c_str());
  *queue = call.backend()->stream_queue(call.impl());
  return TS_OK;
}

ts_status ts_stream_close(ts_stream *stream, ts_error *error) {
  if (!stream) return fail(error, TS_INVALID_ARGUMENT, "ts_stream_close: stream is NULL");
  ts_device *device = stream->device;
  device->backend->stream_close(stream->impl);
  delete stream;
  device->children--;
  return TS_OK;
}

ts_status ts_stream_reserve(ts_stream *stream, uint64_t bytes) {
  TS_STREAM_CALL(call, stream);
  return call.backend()->stream_reserve(call.impl(), bytes);
}

ts_status ts_stream_synchronize(ts_stream *stream) {
  TS_STREAM_CALL(call, stream);
  return call.backend()->stream_synchronize(call.impl());
}

ts_status ts_measure_fp32_peak(ts_stream *stream, int32_t vector_bits, double *gflops) {
  TS_STREAM_CALL(call, stream);
  if (!call.not_null("gflops", gflops)) return call.status();
  if (vector_bits != 0 && vector_bits != 128 && vector_bits != 256 && vector_bits != 512)
    return call.fail("vector_bits is %d but must be 0, 128, 256 or 512", vector_bits), call.status();
  if (!call.backend()->measure_fp32_peak)
    return fail(&call.report()->error, TS_UNAVAILABLE, "ts_measure_fp32_peak: the %s backend does not measure its peak",
                call.backend()->name);
  return call.backend()->measure_fp32_peak(call.impl(), vector_bits, gflops);
}

ts_status ts_stream_error(const ts_stream *stream, ts_error *error) {
  if (!stream || !error) return TS_INVALID_ARGUMENT;
  std::lock_guard<std::mutex> lock(stream->mutex);
  *error = stream->report.error;
  return TS_OK;
}

ts_status ts_stream_fault(ts_stream *stream, ts_fault *fault) {
  TS_STREAM_CALL(call, stream);
  if (!call.not_null("fault", fault) || !call.struct_size("fault", fault->struct_size, sizeof *fault))
    return call.status();
  *fault = call.report()->fault;
  fault->struct_size = sizeof *fault;
  call.report()->fault = ts_fault{};
  return TS_OK;
}

ts_status ts_event_open(ts_device *device, ts_event **event, ts_error *error) {
  if (!device || !event)
    return fail(error, TS_INVALID_ARGUMENT, "ts_event_open: %s is NULL", device ? "event" : "device");
  *event = nullptr;
  auto *opened = new (std::nothrow) ts_event{};
  if (!opened) return fail(error, TS_OUT_OF_MEMORY, "ts_event_open: no memory for the event");
  opened->device = device;
  ts_report report{};
  ts_status status = device->backend->event_open(device->impl, &report, &opened->impl);
  if (status != TS_OK) {
    delete opened;
    return tessera::pass_on(error, report, status);
  }
  device->children++;
  *event = opened;
  return TS_OK;
}

ts_status ts_event_close(ts_event *event, ts_error *error) {
  if (!event) return fail(error, TS_INVALID_ARGUMENT, "ts_event_close: event is NULL");
  event->device->backend->event_close(event->impl);
  event->device->children--;
  delete event;
  return TS_OK;
}

ts_status ts_event_record(ts_stream *stream, ts_event *event) {
  TS_STREAM_CALL(call, stream);
  if (!call.not_null("event", event)) return call.status();
  if (event->device != stream->device) return call.fail("event belongs to another open device"), call.status();
  return call.backend()->event_record(call.impl(), event->impl);
}

ts_status ts_stream_wait(ts_stream *stream, const ts_event *event) {
  TS_STREAM_CALL(call, stream);
  if (!call.not_null("event", event)) return call.status();
  if (event->device != stream->device) return call.fail("event belongs to another open device"), call.status();
  return call.backend()->stream_wait(call.impl(), event->impl);
}

ts_status ts_event_elapsed(const ts_event *start, const ts_event *end, double *seconds, ts_error *error) {
  if (!start || !end || !seconds)
    return fail(error, TS_INVALID_ARGUMENT, "ts_event_elapsed: %s is NULL",
                !start ? "start"
                : !end ? "end"
                       : "seconds");
  if (start->device != end->device)
    return fail(error, TS_INVALID_ARGUMENT, "ts_event_elapsed: start and end belong to different open devices");
  ts_report report{};
  return tessera::pass_on(error, report,
                          start->device->backend->event_elapsed(start->impl, end->impl, seconds, &report));
}

ts_status ts_copy_to_device(ts_stream *stream, uint64_t destination, const void *source, uint64_t bytes) {
  TS_STREAM_CALL(call, stream);
  if (bytes == 0) return TS_OK;
  if (!call.memory("destination", destination, bytes) || !call.not_null("source", source)) return call.status();
  return call.backend()->copy_to_device(call.impl(), reinterpret_cast<void *>(destination), source, bytes);
}

ts_status ts_copy_to_host(ts_stream *stream, void *destination, uint64_t source, uint64_t bytes) {
  TS_STREAM_CALL(call, stream);
  if (bytes == 0) return call.backend()->stream_synchronize(call.impl());
  if (!call.memory("source", source, bytes) || !call.not_null("destination", destination)) return call.status();
  return call.backend()->copy_to_host(call.impl(), destination, reinterpret_cast<const void *>(source), bytes);
}

ts_status ts_copy(ts_stream *stream, uint64_t destination, uint64_t source, uint64_t bytes) {
  TS_STREAM_CALL(call, stream);
  if (bytes == 0) return TS_OK;
  if (!call.memory("destination", destination, bytes) || !call.memory("source", source, bytes)) return call.status();
  if (destination < source + bytes && source < destination + bytes)
    return call.fail("destination overlaps source in memory"), call.status();
  return call.backend()->copy(call.impl(), reinterpret_cast<void *>(destination),
                              reinterpret_cast<const void *>(source), bytes);
}
