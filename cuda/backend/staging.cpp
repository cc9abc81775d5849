#include "backend/staging.h"

#include <algorithm>
#include <cstring>

namespace tessera::cuda {
namespace {

constexpr size_t kHalf = size_t{2} << 20;  // enough to reach the bus's rate
constexpr size_t kAlignment = 64;

}  // namespace

Staging::~Staging() {
  for (Half &half : halves_) {
    if (half.free) cudaEventDestroy(half.free);
    if (half.data) cudaFreeHost(half.data);
  }
}

ts_status Staging::open(ts_report *report) {
  if (halves_[1].free) return TS_OK;
  for (Half &half : halves_) {
    void *memory = nullptr;
    if (!half.data) TS_TRY(TS_CUDA(report, cudaHostAlloc(&memory, kHalf, cudaHostAllocDefault)));
    if (memory) half.data = static_cast<unsigned char *>(memory);
    if (!half.free) TS_TRY(TS_CUDA(report, cudaEventCreateWithFlags(&half.free, cudaEventDisableTiming)));
  }
  return TS_OK;
}

ts_status Staging::turn(cudaStream_t stream, ts_report *report) {
  TS_TRY(TS_CUDA(report, cudaEventRecord(halves_[current_].free, stream)));
  current_ ^= 1;
  used_ = 0;
  return TS_CUDA(report, cudaEventSynchronize(halves_[current_].free));
}

ts_status Staging::to_device(cudaStream_t stream, void *destination, const void *source, size_t bytes,
                             ts_report *report) {
  TS_TRY(open(report));
  auto *to = static_cast<unsigned char *>(destination);
  auto *from = static_cast<const unsigned char *>(source);
  while (bytes > 0) {
    if (used_ >= kHalf) TS_TRY(turn(stream, report));
    size_t part = std::min(bytes, kHalf - used_);
    unsigned char *staged = halves_[current_].data + used_;
    memcpy(staged, from, part);
    TS_TRY(TS_CUDA(report, cudaMemcpyAsync(to, staged, part, cudaMemcpyHostToDevice, stream)));
    used_ += (part + kAlignment - 1) / kAlignment * kAlignment;
    to += part;
    from += part;
    bytes -= part;
  }
  return TS_OK;
}

ts_status Staging::to_host(cudaStream_t stream, void *destination, const void *source, size_t bytes,
                           ts_report *report) {
  TS_TRY(open(report));
  auto *to = static_cast<unsigned char *>(destination);
  auto *from = static_cast<const unsigned char *>(source);
  unsigned char *arriving = nullptr;  // the part before, on its way
  size_t arriving_bytes = 0;
  while (bytes > 0 || arriving) {
    size_t part = std::min(bytes, kHalf);
    unsigned char *staged = nullptr;
    if (part > 0) {
      TS_TRY(turn(stream, report));
      staged = halves_[current_].data;
      TS_TRY(TS_CUDA(report, cudaMemcpyAsync(staged, from, part, cudaMemcpyDeviceToHost, stream)));
      used_ = kHalf;
    }
    if (arriving) {
      // turn() has recorded the end of its copy.
      Half &half = halves_[part > 0 ? current_ ^ 1 : current_];
      if (part == 0) TS_TRY(TS_CUDA(report, cudaEventRecord(half.free, stream)));
      TS_TRY(TS_CUDA(report, cudaEventSynchronize(half.free)));
      memcpy(to, arriving, arriving_bytes);
      to += arriving_bytes;
    }
    arriving = staged;
    arriving_bytes = part;
    from += part;
    bytes -= part;
  }
  used_ = 0;  // all was waited for
  return TS_OK;
}

}  // namespace tessera::cuda
