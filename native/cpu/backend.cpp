// The CPU backend's table of functions, and its device, memory, streams and events. Ops run at once on the calling
// thread (and on OpenMP threads where a stream has more than one), so synchronise has nothing to wait for.
#include <sched.h>
#include <unistd.h>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <new>

#include "cpu/kernels/attention.h"
#include "cpu/layer_loader.h"
#include "cpu/math/math.h"
#include "cpu/peak.h"
#include "cpu/prior/prior.h"
#include "cpu/processor.h"
#include "cpu/stream.h"
#include "cpu/vq/vq.h"

namespace tessera::cpu {

const ts_host *host = nullptr;

namespace {

constexpr size_t kAlignment = 64;

struct Event {
  std::chrono::steady_clock::time_point time;
  bool recorded = false;
};

size_t rounded_up(uint64_t bytes) { return (static_cast<size_t>(bytes) + kAlignment - 1) / kAlignment * kAlignment; }

int available_processors() {
  cpu_set_t set;
  return sched_getaffinity(0, sizeof set, &set) == 0 ? CPU_COUNT(&set) : 1;
}

int32_t device_count(char *detail, uint64_t capacity) {
  snprintf(detail, capacity, "%s, %d processors", processor_name(), available_processors());
  return 1;
}

ts_status device_open(int32_t, void *host_device, ts_report *report, void **device) {
  auto *opened = new (std::nothrow) Device{host_device};
  if (!opened) return host->fail(report, TS_OUT_OF_MEMORY, "no memory for the device");
  *device = opened;
  return TS_OK;
}

void device_close(void *device) { delete static_cast<Device *>(device); }

ts_status device_describe(void *, ts_device_info *info, ts_report *) {
  info->max_threads = available_processors();
  info->memory_bytes = static_cast<uint64_t>(sysconf(_SC_PHYS_PAGES)) * static_cast<uint64_t>(sysconf(_SC_PAGE_SIZE));
  snprintf(info->description, sizeof info->description, "%s", processor_name());
  snprintf(info->instruction_sets, sizeof info->instruction_sets, "%s", instruction_sets());
  return TS_OK;
}

ts_status alloc(void *, uint64_t bytes, void **address, ts_report *report) {
  *address = std::aligned_alloc(kAlignment, rounded_up(bytes));
  if (*address) return TS_OK;
  return host->fail(report, TS_OUT_OF_MEMORY, "%llu bytes of memory could not be had",
                    static_cast<unsigned long long>(bytes));
}

void release(void *, void *address) { std::free(address); }

ts_status stream_open(void *device, int32_t threads, ts_report *report, void **stream) {
  auto *opened = new (std::nothrow) Stream(static_cast<Device *>(device), threads, report);
  if (!opened) return host->fail(report, TS_OUT_OF_MEMORY, "no memory for the stream");
  *stream = opened;
  return TS_OK;
}

void stream_close(void *stream) {
  auto *s = static_cast<Stream *>(stream);
  close_layers(s);
  delete s;
}

ts_status stream_reserve(void *stream, uint64_t bytes) {
  auto *s = static_cast<Stream *>(stream);
  if (bytes == 0 || s->scratch.reserve(bytes)) return TS_OK;
  return host->fail(s->report, TS_OUT_OF_MEMORY, "%llu bytes of scratch memory could not be had",
                    static_cast<unsigned long long>(bytes));
}

ts_status stream_synchronize(void *) { return TS_OK; }

ts_status event_open(void *, ts_report *report, void **event) {
  *event = new (std::nothrow) Event{};
  return *event ? TS_OK : host->fail(report, TS_OUT_OF_MEMORY, "no memory for the event");
}

void event_close(void *event) { delete static_cast<Event *>(event); }

ts_status event_record(void *, void *event) {
  *static_cast<Event *>(event) = {std::chrono::steady_clock::now(), true};
  return TS_OK;
}

// Work recorded in an event is done by the time that anybody can wait for it.
ts_status stream_wait(void *, const void *) { return TS_OK; }

ts_status event_elapsed(const void *start, const void *end, double *seconds, ts_report *report) {
  auto *from = static_cast<const Event *>(start), *to = static_cast<const Event *>(end);
  if (!from->recorded || !to->recorded)
    return host->fail(report, TS_INVALID_ARGUMENT, "ts_event_elapsed: %s was never recorded",
                      from->recorded ? "end" : "start");
  *seconds = std::chrono::duration<double>(to->time - from->time).count();
  return TS_OK;
}

ts_status copy_bytes(void *, void *destination, const void *source, uint64_t bytes) {
  std::memcpy(destination, source, bytes);
  return TS_OK;
}

}  // namespace

Scratch::~Scratch() {
  if (!data_) return;
  std::free(data_);
  host->account(device_->host_device, -static_cast<int64_t>(capacity_));
}

void *Scratch::reserve(size_t bytes) {
  if (bytes <= capacity_) return data_;
  size_t size = rounded_up(bytes);
  void *grown = size < bytes ? nullptr : std::aligned_alloc(kAlignment, size);
  if (!grown) return nullptr;
  host->account(device_->host_device, static_cast<int64_t>(size));
  if (data_) {
    std::free(data_);
    host->account(device_->host_device, -static_cast<int64_t>(capacity_));
  }
  data_ = grown;
  capacity_ = size;
  return data_;
}

}  // namespace tessera::cpu

const ts_backend *ts_cpu_backend(const ts_host *host_table) {
  using namespace tessera::cpu;
  host = host_table;
  static const ts_backend table = {
      .abi = TS_ABI_VERSION,
      .name = "cpu",
      .device_count = device_count,
      .device_open = device_open,
      .device_close = device_close,
      .device_describe = device_describe,
      .alloc = alloc,
      .free = release,
      .memory_check = nullptr,
      .stream_open = stream_open,
      .stream_close = stream_close,
      .stream_wrap = nullptr,  // ops run on the calling thread
      .stream_queue = nullptr,
      .stream_reserve = stream_reserve,
      .stream_synchronize = stream_synchronize,
      .measure_fp32_peak = measure_fp32_peak,
      .event_open = event_open,
      .event_close = event_close,
      .event_record = event_record,
      .stream_wait = stream_wait,
      .event_elapsed = event_elapsed,
      .copy_to_device = copy_bytes,
      .copy_to_host = copy_bytes,
      .copy = copy_bytes,
      .fill = fill,
      .random_uniform = random_uniform,
      .codebook_alloc = codebook_alloc,
      .codebook_free = codebook_free,
      .codebook_codes = codebook_codes,
      .codebook_bytes = codebook_bytes,
      .codebook_pack = codebook_pack,
      .codebook_begin_read = nullptr,  // ops are over when they return
      .codebook_end_read = nullptr,
      .codebook_begin_write = nullptr,
      .vq_assign = vq_assign,
      .vq_gather = vq_gather,
      .vq_quantize = vq_quantize,
      .vq_scatter = vq_scatter,
      .vq_ema = vq_ema,
      .vq_restart = vq_restart,
      .vq_backward = vq_backward,
      .vq_codebook_grad = vq_codebook_grad,
      .vq_statistics = vq_statistics,
      .conv2d_forward = conv2d_forward,
      .conv2d_backward_data = conv2d_backward_data,
      .conv2d_backward_weights = conv2d_backward_weights,
      .conv_transpose2d_forward = conv_transpose2d_forward,
      .conv_transpose2d_backward_data = conv_transpose2d_backward_data,
      .conv_transpose2d_backward_weights = conv_transpose2d_backward_weights,
      .matmul = matmul,
      .embedding = embedding,
      .attention_forward = attention_forward,
      .attention_backward = attention_backward,
      .attention_step = attention_step,
      .unary = unary,
      .unary_backward = unary_backward,
      .binary = binary,
      .axpby = axpby,
      .bias = bias,
      .dropout = dropout,
      .sum = sum,
      .loss = loss,
      .softmax_cross_entropy = softmax_cross_entropy,
      .layer_norm_forward = layer_norm_forward,
      .layer_norm_backward = layer_norm_backward,
      .adam_step = adam_step,
      .clip_gradients = clip_gradients,
      .code_conv2d_forward = code_conv2d_forward,
      .code_conv2d_backward_weights = code_conv2d_backward_weights,
      .code_conv2d_at = code_conv2d_at,
      .conv2d_at = conv2d_at,
      .gate_forward = gate_forward,
      .gate_backward = gate_backward,
      .token_ids = token_ids,
      .sample_codes = sample_codes,
  };
  return &table;
}
