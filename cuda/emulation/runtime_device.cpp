// The one emulated device, and launches on it.
//
//   TESSERA_EMULATION_SEED    seeds the order of blocks and lanes (0 if not set)
//   TESSERA_EMULATION_SHARED  opt-in limit of shared memory in KB: 227 (as on an H100) if not set, 99 as on many others
#include <cuda_runtime.h>

#include <algorithm>
#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <numeric>
#include <string>
#include <vector>

#include "emulation/multiprocessor.h"
#include "emulation/runtime_stream.h"

using namespace tessera::emulation;

namespace {

// Few, so that kernels which size their grid by it still have blocks with several turns of their loops.
constexpr int kMultiprocessors = 4;

uint64_t environment(const char *name, uint64_t otherwise) {
  const char *text = getenv(name);
  return text && text[0] ? strtoull(text, nullptr, 10) : otherwise;
}

size_t shared_limit() { return static_cast<size_t>(environment("TESSERA_EMULATION_SHARED", 227)) * 1024; }

// Runs all blocks in random order; stops at the first fault.
void run_grid(const Launch &launch, uint64_t seed) {
  Random random(seed);
  uint64_t count = uint64_t{launch.grid.x} * launch.grid.y * launch.grid.z;
  std::vector<uint32_t> order(count);
  std::iota(order.begin(), order.end(), 0u);
  Multiprocessor &multiprocessor = Multiprocessor::mine();
  for (size_t i = count; i > 0; i--) {
    std::swap(order[i - 1], order[random.below(static_cast<uint32_t>(i))]);
    uint32_t block = order[i - 1];
    uint3 index{block % launch.grid.x, block / launch.grid.x % launch.grid.y, block / launch.grid.x / launch.grid.y};
    std::string fault = multiprocessor.run(launch, index, random);
    if (!fault.empty()) return set_fault(fault);
  }
}

}  // namespace

namespace tessera::emulation {

int launch(const char *name, dim3 grid, dim3 block, size_t shared_bytes, CUstream_st *stream,
           std::function<void()> body) {
  if (has_fault()) return cudaErrorLaunchFailure;
  uint64_t threads = uint64_t{block.x} * block.y * block.z;
  bool fits = threads >= 1 && threads <= 1024 && block.z <= 64 && grid.x >= 1 && grid.x < (1u << 31) && grid.y >= 1 &&
              grid.y <= 65535 && grid.z >= 1 && grid.z <= 65535;
  if (!fits) return cudaErrorInvalidConfiguration;
  if (shared_bytes > shared_limit()) return cudaErrorInvalidValue;
  static std::atomic<uint64_t> launches{0};
  uint64_t seed = environment("TESSERA_EMULATION_SEED", 0) * 0x9E3779B97F4A7C15ULL + launches++;
  stream->queue->push(
      [launch = Launch{name, grid, block, shared_bytes, std::move(body)}, seed] { run_grid(launch, seed); });
  return cudaSuccess;
}

}  // namespace tessera::emulation

cudaError_t cudaGetDeviceCount(int *count) {
  *count = __builtin_cpu_supports("avx2") && __builtin_cpu_supports("bmi2") && __builtin_cpu_supports("fma");
  return *count ? cudaSuccess : cudaErrorInitializationError;
}

cudaError_t cudaSetDevice(int device) { return device == 0 ? cudaSuccess : cudaErrorInvalidDevice; }

cudaError_t cudaGetDeviceProperties(cudaDeviceProp *properties, int device) {
  if (device != 0) return cudaErrorInvalidDevice;
  *properties = {};
  snprintf(properties->name, sizeof properties->name, "CUDA kernels run on the CPU by Tessera's emulator");
  properties->totalGlobalMem = size_t{8} << 30;
  properties->sharedMemPerBlock = 48 * 1024;
  properties->sharedMemPerBlockOptin = shared_limit();
  properties->major = 9;
  properties->minor = 0;
  properties->multiProcessorCount = kMultiprocessors;
  return cudaSuccess;
}
