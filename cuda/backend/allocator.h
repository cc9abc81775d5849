// Device memory by plain cudaMalloc, with what was freed kept for the next request: cudaMalloc and cudaFree cost from
// some microseconds to milliseconds, and cudaFree waits for the device.
#pragma once

#include <cuda_runtime.h>

#include <cstddef>
#include <mutex>
#include <unordered_map>
#include <vector>

namespace tessera::cuda {

class Allocator {
 public:
  struct Policy {
    bool exact;   // take what was asked for, to the byte
    size_t keep;  // the most bytes kept for later
  };

  explicit Allocator(Policy policy) : policy_(policy) {}
  ~Allocator();
  Allocator(const Allocator &) = delete;
  Allocator &operator=(const Allocator &) = delete;

  // The policy of this build. The emulator takes every block alone and gives it back at once, so that
  // AddressSanitizer sees its end and its death.
  static Policy policy();

  // Memory aligned to 256 bytes. For the current CUDA device, as all functions here.
  cudaError_t allocate(size_t bytes, void **memory);

  // Streams may still be working on it.
  void release(void *memory);

 private:
  size_t rounded(size_t bytes) const;
  void *reuse(size_t size);
  void free_kept();

  const Policy policy_;
  std::mutex mutex_;
  std::unordered_map<void *, size_t> sizes_;                  // of blocks in use
  std::unordered_map<size_t, std::vector<void *>> ready_;     // by size; no work of the device concerns them any more
  std::unordered_map<size_t, std::vector<void *>> released_;  // by size; some work may
  size_t kept_ = 0;                                           // bytes in the two
};

}  // namespace tessera::cuda
