#include "backend/faults.h"

namespace tessera::cuda {
namespace {

constexpr size_t kMostOps = size_t{1} << (63 - kFaultRowBits);

}  // namespace

Faults::~Faults() {
  if (seen_) cudaFreeHost(seen_);
}

ts_status Faults::open(Device *device, cudaStream_t stream, ts_report *report) {
  stream_ = stream;
  report_ = report;
  TS_TRY(record_.reserve(device, sizeof(uint64_t), report, "a stream's faults"));
  void *memory = nullptr;
  TS_TRY(TS_CUDA(report, cudaHostAlloc(&memory, sizeof(uint64_t), cudaHostAllocDefault)));
  seen_ = static_cast<uint64_t *>(memory);
  return TS_CUDA(report, cudaMemsetAsync(record_.as<uint64_t>(), 0xFF, sizeof(uint64_t), stream_));
}

ts_status Faults::begin(ts_fault_kind kind, const char *op, FaultSlot *slot) {
  if (ops_.size() == kMostOps) TS_TRY(collect());
  *slot = {record_.as<uint64_t>(), uint64_t{ops_.size()} << kFaultRowBits};
  ops_.push_back({kind, op});
  return TS_OK;
}

ts_status Faults::collect() {
  ts_status status = look();
  if (status == TS_OK && owed_) status = TS_DATA_FAULT;
  owed_ = false;
  return status;
}

ts_status Faults::collect_earlier() {
  if (ops_.empty()) return TS_OK;
  ts_status status = look();
  if (status != TS_DATA_FAULT) return status;
  owed_ = true;
  return TS_OK;
}

ts_status Faults::collect_own() { return look(); }

// Waits for the stream and reads the record.
ts_status Faults::look() {
  if (ops_.empty()) return TS_CUDA(report_, cudaStreamSynchronize(stream_));
  TS_TRY(TS_CUDA(report_,
                 cudaMemcpyAsync(seen_, record_.as<uint64_t>(), sizeof(uint64_t), cudaMemcpyDeviceToHost, stream_)));
  TS_TRY(TS_CUDA(report_, cudaStreamSynchronize(stream_)));
  const uint64_t fault = *seen_;
  if (fault == kNoFault) {
    ops_.clear();
    return TS_OK;
  }
  const Op op = ops_[fault >> kFaultRowBits];
  ops_.clear();
  TS_TRY(TS_CUDA(report_, cudaMemsetAsync(record_.as<uint64_t>(), 0xFF, sizeof(uint64_t), stream_)));
  return host->fault(report_, op.kind, static_cast<int64_t>(fault & ((uint64_t{1} << kFaultRowBits) - 1)), op.name);
}

}  // namespace tessera::cuda
