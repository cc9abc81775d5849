// A stream of the CUDA runtime itself, beside Tessera's, for cuBLAS and for kernels that are no part of Tessera. The
// two streams do not know of each other: wait for one before the other uses its results.
#pragma once

#include <cuda_runtime.h>

#include <functional>

#include "harness.h"

namespace tessera::bench {

#define GPU_OK(call)                                                                                              \
  do {                                                                                                            \
    const cudaError_t error_ = (call);                                                                            \
    CHECK_MSG(error_ == cudaSuccess, "%s: %s (%s)", #call, cudaGetErrorString(error_), cudaGetErrorName(error_)); \
  } while (0)

class GpuStream {
 public:
  GpuStream() { GPU_OK(cudaStreamCreateWithFlags(&stream_, cudaStreamNonBlocking)); }
  ~GpuStream() { cudaStreamDestroy(stream_); }
  GpuStream(const GpuStream &) = delete;
  GpuStream &operator=(const GpuStream &) = delete;

  cudaStream_t get() const { return stream_; }
  void wait() const { GPU_OK(cudaStreamSynchronize(stream_)); }

  // Seconds of one call of `op`, which puts work into this stream, by events; the first call is not counted.
  double seconds(int calls, const std::function<void()> &op) const {
    cudaEvent_t start, end;
    GPU_OK(cudaEventCreateWithFlags(&start, cudaEventDefault));
    GPU_OK(cudaEventCreateWithFlags(&end, cudaEventDefault));
    op();
    GPU_OK(cudaEventRecord(start, stream_));
    for (int i = 0; i < calls; i++) op();
    GPU_OK(cudaEventRecord(end, stream_));
    GPU_OK(cudaEventSynchronize(end));
    float milliseconds = 0;
    GPU_OK(cudaEventElapsedTime(&milliseconds, start, end));
    cudaEventDestroy(start);
    cudaEventDestroy(end);
    return static_cast<double>(milliseconds) * 1e-3 / calls;
  }

 private:
  cudaStream_t stream_ = nullptr;
};

}  // namespace tessera::bench
