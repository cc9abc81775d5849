// fill: every element of y becomes one value. Bound by memory: sizeof(T) bytes written an element.
//
//   tile       none; 256 threads, neighbours write neighbouring elements
//   registers  at most 32, no shared memory
#pragma once

#include "kernels/platform.cuh"

namespace tessera::cuda {

constexpr int kFillThreads = 256;
constexpr int kFillBlocks = 6;  // a multiprocessor; some have room for 1536 threads, and not for 2048

template <class T>
TS_KERNEL(kFillThreads, kFillBlocks)
fill_elements(T *y, T value, int64_t count) {
  const int64_t stride = int64_t{gridDim.x} * kFillThreads;
  for (int64_t i = int64_t{blockIdx.x} * kFillThreads + threadIdx.x; i < count; i += stride) y[i] = value;
}

}  // namespace tessera::cuda
