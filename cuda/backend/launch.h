// Launching kernels, from either compiler, and counting launches by kernel family.
#pragma once

#include <cuda_runtime.h>

#include <atomic>
#include <cstdint>
#include <tuple>
#include <utility>

#include "kernels/platform.cuh"

namespace tessera::cuda {

// How often a kernel of one family was launched, and how large its blocks were. Where TESSERA_LAUNCH_REPORT names a
// file, the process appends a line "FAMILY COUNT" for each family to it when it ends: tests see from it that a family
// ran. A line "kernel THREADS BYTES NAME" for each kernel that ran gives its largest blocks and their shared memory,
// for budget.csv.
class LaunchCounter {
 public:
  LaunchCounter(const char *family, const char *kernel);
  void add(dim3 block, size_t shared_bytes);

 private:
  friend void write_launch_report();
  const char *family_, *kernel_;
  std::atomic<uint64_t> count_{0}, threads_{0}, shared_bytes_{0};
  LaunchCounter *next_;
};

// Launches with its arguments converted to the kernel's parameters, which cudaLaunchKernel would not do.
template <class... Parameters, class... Arguments>
cudaError_t launch_kernel(const char *name, LaunchCounter &counter, void (*kernel)(Parameters...), dim3 grid,
                          dim3 block, size_t shared_bytes, cudaStream_t stream, Arguments &&...arguments) {
  counter.add(block, shared_bytes);
  std::tuple<Parameters...> parameters(std::forward<Arguments>(arguments)...);
#if defined(TS_EMULATED)
  return static_cast<cudaError_t>(emulation::launch(name, grid, block, shared_bytes, stream,
                                                    [kernel, parameters] { std::apply(kernel, parameters); }));
#else
  (void)name;
  constexpr size_t kWithoutOptIn = 48 * 1024;
  if (shared_bytes > kWithoutOptIn) {
    cudaError_t error =
        cudaFuncSetAttribute(reinterpret_cast<const void *>(kernel), cudaFuncAttributeMaxDynamicSharedMemorySize,
                             static_cast<int>(shared_bytes));
    if (error != cudaSuccess) return error;
  }
  return std::apply(
      [&](Parameters &...values) {
        void *pointers[] = {const_cast<void *>(static_cast<const void *>(&values))..., nullptr};
        return cudaLaunchKernel(reinterpret_cast<const void *>(kernel), grid, block, pointers, shared_bytes, stream);
      },
      parameters);
#endif
}

}  // namespace tessera::cuda

// Launches a kernel of a family and gives the cudaError_t. A kernel whose template arguments have commas goes into
// parentheses.
#define TS_LAUNCH(family, kernel, grid, block, shared_bytes, stream, ...)                                            \
  [&] {                                                                                                              \
    static ::tessera::cuda::LaunchCounter counter(family, #kernel);                                                  \
    return ::tessera::cuda::launch_kernel(#kernel, counter, kernel, grid, block, shared_bytes, stream, __VA_ARGS__); \
  }()
