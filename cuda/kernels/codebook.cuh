// What a codebook's new codes go through: the check that all are finite. 4 bytes read an element, bound by memory.
//
//   tile       none; 256 threads, neighbours read neighbouring elements
//   registers  at most 32, no shared memory
#pragma once

#include "kernels/fault.cuh"

namespace tessera::cuda {

constexpr int kCodebookThreads = 256;

// codes [k, d]; a NaN or an infinity is a fault of its code.
TS_KERNEL(kCodebookThreads, 8) check_codes(const float *codes, int64_t count, int64_t d, FaultSlot fault) {
  const int64_t stride = int64_t{gridDim.x} * kCodebookThreads;
  for (int64_t i = int64_t{blockIdx.x} * kCodebookThreads + threadIdx.x; i < count; i += stride)
    if (!is_finite(codes[i])) report_fault(fault, i / d);
}

}  // namespace tessera::cuda
