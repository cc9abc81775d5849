// Arguments of ops, checked once for all backends.
//
// A Check belongs to one call. Each method tests one thing, and on failure writes the message (which function, which
// argument, what it was, what it must be) and returns false; so a function reads
//
//   Call call(stream, "ts_unary");
//   View x, y;
//   if (!call.tensor("x", x_, TS_F32, &x) || !call.same_shape("y", y, "x", x)) return call.status();
#pragma once

#include <cstdint>
#include <initializer_list>
#include <mutex>

#include "core/objects.h"

namespace tessera {

// A checked tensor.
struct View {
  const char *name = nullptr;
  const ts_tensor *tensor = nullptr;
  int64_t count = 0;  // elements
  uint64_t bytes = 0;
  bool present = false;  // false for an optional tensor that was NULL

  template <class T>
  T *data() const {
    return present ? reinterpret_cast<T *>(tensor->data) : nullptr;
  }
  int32_t rank() const { return tensor->rank; }
  int64_t dim(int i) const { return tensor->dims[i]; }
  int64_t last() const { return tensor->dims[tensor->rank - 1]; }
};

// One call of an op: holds the stream's lock and reports its failures. `stream` must not be null (see TS_STREAM_CALL).
class Call {
 public:
  Call(ts_stream *stream, const char *function) : stream_(stream), function_(function), lock_(stream->mutex) {}

  const ts_backend *backend() const { return stream_->device->backend; }
  void *impl() const { return stream_->impl; }
  ts_report *report() const { return &stream_->report; }
  ts_status status() const { return status_; }

  __attribute__((format(printf, 2, 3))) bool fail(const char *format, ...);

  bool not_null(const char *name, const void *pointer);
  bool range(const char *name, int64_t value, int64_t low, int64_t high);
  bool finite(const char *name, double value, double low, double high);
  // For structs that begin with struct_size.
  bool struct_size(const char *name, uint32_t actual, uint64_t expected);

  // A tensor of the dtype: descriptor, rank, dims, size and alignment.
  bool tensor(const char *name, const ts_tensor *tensor, ts_dtype dtype, View *view);
  bool tensor_any(const char *name, const ts_tensor *tensor, View *view);
  bool optional(const char *name, const ts_tensor *tensor, ts_dtype dtype, View *view);
  bool rank(const View &view, int rank);
  bool shape(const View &view, std::initializer_list<int64_t> dims);
  bool count(const View &view, int64_t count);
  bool same_shape(const View &a, const View &b);
  // `output` shares no byte with any of `others` (absent ones are passed over).
  bool distinct(const View &output, std::initializer_list<View> others);
  // `output` is `input` exactly, or shares no byte with it.
  bool in_place_or_distinct(const View &output, const View &input);
  // A raw range of device memory.
  bool memory(const char *name, uint64_t address, uint64_t bytes);
  bool codebook(const ts_codebook *codebook);

 private:
  bool dtype_is(const View &view, ts_dtype dtype);

  ts_stream *stream_;
  const char *function_;
  std::lock_guard<std::mutex> lock_;
  ts_status status_ = TS_OK;
};

// Every op begins with this: a call without a stream has nowhere to put a message.
#define TS_STREAM_CALL(call, stream)         \
  if (!(stream)) return TS_INVALID_ARGUMENT; \
  ::tessera::Call call((stream), __func__)

// Writes a message into `error`, which may be null, and returns `status`.
__attribute__((format(printf, 3, 4))) ts_status fail(ts_error *error, ts_status status, const char *format, ...);

// For calls without a stream: copies what a backend reported.
ts_status pass_on(ts_error *error, const ts_report &report, ts_status status);

}  // namespace tessera
