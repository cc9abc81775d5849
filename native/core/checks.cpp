#include "core/checks.h"

#include <cmath>
#include <cstdarg>
#include <cstdio>
#include <cstring>
#include <limits>
#include <string>

namespace tessera {
namespace {

struct DtypeInfo {
  const char *name;
  uint64_t bytes;
};

constexpr DtypeInfo kDtypes[] = {{"f32", 4}, {"f64", 8}, {"i32", 4}, {"i64", 8}, {"u8", 1}, {"bf16", 2}, {"f16", 2}};
constexpr int kDtypeCount = sizeof kDtypes / sizeof kDtypes[0];

std::string dims_text(const int64_t *dims, size_t rank) {
  std::string text = "[";
  for (size_t i = 0; i < rank; i++) {
    if (i) text += ",";
    text += std::to_string(dims[i]);
  }
  text += "]";
  return text;
}

std::string shape_text(const View &view) {
  return dims_text(view.tensor->dims, static_cast<size_t>(view.tensor->rank));
}

bool overlap(const View &a, const View &b) {
  if (!a.present || !b.present || a.bytes == 0 || b.bytes == 0) return false;
  return a.tensor->data < b.tensor->data + b.bytes && b.tensor->data < a.tensor->data + a.bytes;
}

}  // namespace

ts_status fail(ts_error *error, ts_status status, const char *format, ...) {
  if (error) {
    error->status = status;
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(error->message, sizeof error->message, format, arguments);
    va_end(arguments);
  }
  return status;
}

ts_status pass_on(ts_error *error, const ts_report &report, ts_status status) {
  if (status != TS_OK && error) *error = report.error;
  return status;
}

bool Call::fail(const char *format, ...) {
  char text[sizeof stream_->report.error.message];
  va_list arguments;
  va_start(arguments, format);
  vsnprintf(text, sizeof text, format, arguments);
  va_end(arguments);
  status_ = tessera::fail(&stream_->report.error, TS_INVALID_ARGUMENT, "%s: %s", function_, text);
  return false;
}

bool Call::not_null(const char *name, const void *pointer) { return pointer ? true : fail("%s is NULL", name); }

bool Call::range(const char *name, int64_t value, int64_t low, int64_t high) {
  if (value >= low && value <= high) return true;
  if (high == std::numeric_limits<int64_t>::max() || high == std::numeric_limits<int32_t>::max())
    return fail("%s is %lld but must be at least %lld", name, static_cast<long long>(value),
                static_cast<long long>(low));
  return fail("%s is %lld but must be from %lld to %lld", name, static_cast<long long>(value),
              static_cast<long long>(low), static_cast<long long>(high));
}

bool Call::finite(const char *name, double value, double low, double high) {
  if (std::isfinite(value) && value >= low && value <= high) return true;
  if (high == std::numeric_limits<double>::max()) {
    if (low == -high) return fail("%s is %g but must be finite", name, value);
    return fail("%s is %g but must be finite and at least %g", name, value, low);
  }
  return fail("%s is %g but must be from %g to %g", name, value, low, high);
}

bool Call::struct_size(const char *name, uint32_t actual, uint64_t expected) {
  if (actual == expected) return true;
  return fail("%s.struct_size is %u but must be %llu: caller and library were built from different headers", name,
              actual, static_cast<unsigned long long>(expected));
}

bool Call::tensor_any(const char *name, const ts_tensor *tensor, View *view) {
  if (!not_null(name, tensor)) return false;
  if (tensor->dtype < 0 || tensor->dtype >= kDtypeCount)
    return fail("%s.dtype is %d, which is not a ts_dtype", name, tensor->dtype);
  if (tensor->rank < 0 || tensor->rank > TS_MAX_RANK)
    return fail("%s.rank is %d but must be from 0 to %d", name, tensor->rank, TS_MAX_RANK);
  // A product with a zero is zero whatever the other dimensions are, so look for overflow in the others too.
  uint64_t element = kDtypes[tensor->dtype].bytes;
  int64_t bytes = static_cast<int64_t>(element);
  bool empty = false;
  for (int i = 0; i < tensor->rank; i++) {
    int64_t dim = tensor->dims[i];
    if (dim < 0) return fail("%s.dims[%d] is %lld but must not be negative", name, i, static_cast<long long>(dim));
    if (dim == 0) {
      empty = true;
    } else if (__builtin_mul_overflow(bytes, dim, &bytes)) {
      return fail("%s has shape %s, whose size in bytes overflows 64 bits", name,
                  dims_text(tensor->dims, static_cast<size_t>(tensor->rank)).c_str());
    }
  }
  view->name = name;
  view->tensor = tensor;
  view->present = true;
  view->bytes = empty ? 0 : static_cast<uint64_t>(bytes);
  view->count = static_cast<int64_t>(view->bytes / element);
  if (view->bytes == 0) return true;
  if (tensor->data == 0) return fail("%s.data is 0 but the tensor has shape %s", name, shape_text(*view).c_str());
  if (tensor->data % element != 0)
    return fail("%s.data is 0x%llx but must be a multiple of %llu, the size of an element", name,
                static_cast<unsigned long long>(tensor->data), static_cast<unsigned long long>(element));
  if (tensor->data > std::numeric_limits<uint64_t>::max() - view->bytes)
    return fail("%s.data is 0x%llx, from where %llu bytes pass the end of memory", name,
                static_cast<unsigned long long>(tensor->data), static_cast<unsigned long long>(view->bytes));
  return true;
}

bool Call::dtype_is(const View &view, ts_dtype dtype) {
  if (view.tensor->dtype == dtype) return true;
  return fail("%s is %s but must be %s", view.name, kDtypes[view.tensor->dtype].name, kDtypes[dtype].name);
}

bool Call::tensor(const char *name, const ts_tensor *tensor, ts_dtype dtype, View *view) {
  return tensor_any(name, tensor, view) && dtype_is(*view, dtype);
}

bool Call::optional(const char *name, const ts_tensor *tensor, ts_dtype dtype, View *view) {
  if (!tensor) return true;
  return this->tensor(name, tensor, dtype, view);
}

bool Call::rank(const View &view, int rank) {
  if (view.rank() == rank) return true;
  return fail("%s has shape %s but must have %d dimensions", view.name, shape_text(view).c_str(), rank);
}

bool Call::shape(const View &view, std::initializer_list<int64_t> dims) {
  bool equal = static_cast<size_t>(view.rank()) == dims.size();
  int i = 0;
  for (int64_t dim : dims) equal = equal && view.tensor->dims[i++] == dim;
  if (equal) return true;
  return fail("%s has shape %s but must have shape %s", view.name, shape_text(view).c_str(),
              dims_text(dims.begin(), dims.size()).c_str());
}

bool Call::count(const View &view, int64_t count) {
  if (view.count == count) return true;
  return fail("%s has shape %s, so %lld elements, but must have %lld", view.name, shape_text(view).c_str(),
              static_cast<long long>(view.count), static_cast<long long>(count));
}

bool Call::same_shape(const View &a, const View &b) {
  bool equal = a.rank() == b.rank();
  for (int i = 0; equal && i < a.rank(); i++) equal = a.dim(i) == b.dim(i);
  if (equal) return true;
  return fail("%s has shape %s but must have that of %s, %s", a.name, shape_text(a).c_str(), b.name,
              shape_text(b).c_str());
}

bool Call::distinct(const View &output, std::initializer_list<View> others) {
  for (const View &other : others)
    if (overlap(output, other)) return fail("%s overlaps %s in memory", output.name, other.name);
  return true;
}

bool Call::in_place_or_distinct(const View &output, const View &input) {
  if (!input.present || !overlap(output, input)) return true;
  if (output.tensor->data == input.tensor->data && output.bytes == input.bytes) return true;
  return fail("%s overlaps %s in memory without being it", output.name, input.name);
}

bool Call::memory(const char *name, uint64_t address, uint64_t bytes) {
  if (bytes == 0) return true;
  if (address == 0) return fail("%s is address 0", name);
  if (address > std::numeric_limits<uint64_t>::max() - bytes)
    return fail("%s is 0x%llx, from where %llu bytes pass the end of memory", name,
                static_cast<unsigned long long>(address), static_cast<unsigned long long>(bytes));
  return true;
}

bool Call::codebook(const ts_codebook *codebook) {
  if (!not_null("codebook", codebook)) return false;
  if (codebook->shelf->device == stream_->device) return true;
  return fail("codebook is on another open device (%s) than the stream (%s)", codebook->shelf->device->name.c_str(),
              stream_->device->name.c_str());
}

}  // namespace tessera
