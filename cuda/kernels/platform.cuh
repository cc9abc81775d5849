// The conventions of kernel files, which two compilers read: nvcc for GPUs, and g++ for the emulator.
//
// A kernel is CUDA C++17 and uses threadIdx, blockIdx, blockDim, gridDim, CUDA's vector types and <math.h> as usual.
// Everything else that differs between the two lies behind the names below and in intrinsics.cuh:
//
//   TS_KERNEL(256, 2) scale(float *x, float factor, int64_t count) {   // at most 256 threads, at least 2 blocks
//   resident
//     SharedMemory shared;
//     TS_SHARED(float, tile, 256);                   // float *tile, in dynamic shared memory
//     const int64_t i = int64_t{blockIdx.x} * 256 + threadIdx.x;
//     tile[threadIdx.x] = TS_GUARD(1, i < count) ? x[i] : 0.0f;
//     TS_SYNC(2);                                    // __syncthreads()
//     ...
//   }
//
//   TS_LAUNCH("scale", scale, grid, 256, 256 * sizeof(float), stream, x, factor, count)
//
// The numbers of TS_SYNC, TS_SYNC_WARP, TS_GUARD and TS_ASYNC_WAIT are unique in their file. The emulator names them
// when a barrier diverges, and TESSERA_EMULATION_REMOVE=FILE:NUMBER takes one away, which some test must notice.
//
// Arithmetic is IEEE and nothing is contracted (nvcc -fmad=false, g++ -ffp-contract=off): a multiply-add that should be
// one operation says fmaf or fma.
#pragma once

#include <cuda_runtime.h>
#include <math.h>
#include <stdint.h>

#if !defined(TS_EMULATED)
#if !defined(__CUDACC__)
#error "compile with nvcc, or with -DTS_EMULATED for the emulator"
#endif

#define TS_KERNEL(threads, blocks) [[maybe_unused]] static __global__ void __launch_bounds__(threads, blocks)
#define TS_DEVICE __device__ __forceinline__
#define TS_HOST_DEVICE __host__ __device__ __forceinline__
#define TS_UNROLL _Pragma("unroll")
#define TS_PRAGMA(text) _Pragma(#text)
#define TS_UNROLL_BY(n) TS_PRAGMA(unroll n)

#define TS_SHARED(type, name, n) type *const name = shared.array<type>((n), #name)
#define TS_SYNC(id) __syncthreads()
#define TS_SYNC_WARP(id) __syncwarp()
#define TS_GUARD(id, condition) (condition)
#define TS_ASYNC_WAIT(id, pending) ::tessera::cuda::async_wait<(pending)>()

#else

#define TS_KERNEL(threads, blocks) [[maybe_unused]] static void
#define TS_DEVICE inline
#define TS_HOST_DEVICE inline
#define TS_UNROLL
#define TS_UNROLL_BY(n)

#define TS_SITE(id, what) (::tessera::emulation::Site{__FILE__, __LINE__, (id), (what)})
#define TS_SHARED(type, name, n) type *const name = shared.array<type>((n), #name)
#define TS_SYNC(id) ::tessera::emulation::Multiprocessor::here().barrier(TS_SITE(id, "TS_SYNC"))
#define TS_SYNC_WARP(id) \
  ::tessera::emulation::Multiprocessor::here().meet(TS_SITE(id, "TS_SYNC_WARP"), ~0u, nullptr, nullptr)
#define TS_GUARD(id, condition) ::tessera::emulation::guard((condition), TS_SITE(id, "TS_GUARD"))
#define TS_ASYNC_WAIT(id, pending) ::tessera::emulation::async_wait((pending), TS_SITE(id, "TS_ASYNC_WAIT"))

#include "emulation/multiprocessor.h"

namespace tessera::emulation {

inline bool guard(bool condition, const Site &site) { return condition || is_removed(site); }

// Other lanes go on first, so that they see what is on its way.
inline void async_wait(unsigned pending, const Site &site) {
  if (is_removed(site)) return;
  Multiprocessor::here().yield();
  Multiprocessor::here().async_copies().wait(pending);
}

}  // namespace tessera::emulation

#endif

namespace tessera::cuda {

// Hands out the block's dynamic shared memory, array by array, each aligned to 16 bytes. All lanes declare the same
// arrays in the same order; the launch gives at least the sum of their sizes, each rounded up to 16 bytes.
class SharedMemory {
 public:
  template <class T>
  TS_DEVICE T *array(size_t n, [[maybe_unused]] const char *name) {
#if defined(TS_EMULATED)
    return static_cast<T *>(emulation::Multiprocessor::here().shared_array(next_++, n * sizeof(T), name));
#else
    extern __shared__ __align__(128) unsigned char shared_bytes[];
    T *array = reinterpret_cast<T *>(shared_bytes + next_);
    next_ += static_cast<unsigned>((n * sizeof(T) + 15) / 16 * 16);
    return array;
#endif
  }

 private:
  unsigned next_ = 0;  // emulator: the number of the next array; GPU: its first byte
};

// Bytes that an array of n numbers takes of the launch's shared memory.
template <class T>
constexpr size_t shared_bytes(size_t n) {
  return (n * sizeof(T) + 15) / 16 * 16;
}

// Number of parts of `size` that cover n.
template <class T>
TS_HOST_DEVICE constexpr T ceil_div(T n, T size) {
  return (n + size - 1) / size;
}

}  // namespace tessera::cuda
