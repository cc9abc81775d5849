// What the core offers to backends: messages, faults, and the accounting of their memory.
#include <cstdarg>
#include <cstdio>
#include <cstring>

#include "core/checks.h"
#include "core/objects.h"

void ts_device::account(int64_t bytes) {
  std::lock_guard<std::mutex> lock(mutex);
  bytes_in_use += static_cast<uint64_t>(bytes);
  if (bytes > 0) allocation_count++;
  if (bytes_in_use > peak_bytes) peak_bytes = bytes_in_use;
}

namespace tessera {
namespace {

__attribute__((format(printf, 3, 4))) ts_status host_fail(ts_report *report, ts_status status, const char *format,
                                                          ...) {
  report->error.status = status;
  va_list arguments;
  va_start(arguments, format);
  vsnprintf(report->error.message, sizeof report->error.message, format, arguments);
  va_end(arguments);
  return status;
}

ts_status host_fault(ts_report *report, ts_fault_kind kind, int64_t row, const char *op) {
  if (report->fault.kind == TS_FAULT_NONE) {
    report->fault.kind = kind;
    report->fault.row = row;
    snprintf(report->fault.op, sizeof report->fault.op, "%s", op);
  }
  const char *what = kind == TS_FAULT_NONFINITE_ROW    ? "row %lld of x has a NaN or an infinity"
                     : kind == TS_FAULT_NONFINITE_CODE ? "code %lld of the codebook has a NaN or an infinity"
                                                       : "the code at position %lld is outside the codebook";
  char text[128];
  snprintf(text, sizeof text, what, static_cast<long long>(row));
  return host_fail(report, TS_DATA_FAULT, "ts_%s: %s", op, text);
}

void host_account(void *host_device, int64_t bytes) { static_cast<ts_device *>(host_device)->account(bytes); }

}  // namespace

const ts_host host_table = {TS_ABI_VERSION, host_fail, host_fault, host_account};

}  // namespace tessera
