// Pinned host memory through which a stream copies: only from there can a GPU copy while the host goes on, and the
// caller's buffer is free again as soon as its bytes are here.
#pragma once

#include <cstddef>

#include "backend/error.h"

namespace tessera::cuda {

class Staging {
 public:
  ~Staging();

  ts_status open(ts_report *report);
  // Returns when `source` was read; the device follows in the stream's order.
  ts_status to_device(cudaStream_t stream, void *destination, const void *source, size_t bytes, ts_report *report);
  // Returns when `destination` is written.
  ts_status to_host(cudaStream_t stream, void *destination, const void *source, size_t bytes, ts_report *report);

 private:
  // Two halves take turns: one is filled or emptied by the host while the device copies the other.
  struct Half {
    unsigned char *data = nullptr;
    cudaEvent_t free = nullptr;  // when the device has read what was staged
  };

  // Makes the next half the current one and waits until it is free.
  ts_status turn(cudaStream_t stream, ts_report *report);

  Half halves_[2];
  int current_ = 0;
  size_t used_ = 0;  // of the current half
};

}  // namespace tessera::cuda
