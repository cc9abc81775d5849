// Memory of the emulated runtime: each allocation is a heap block of its own, of exactly its size, so that
// AddressSanitizer finds what runs out of bounds; it begins as NaNs (all bits set).
#include <cuda_runtime.h>

#include <cstdlib>
#include <cstring>
#include <map>
#include <mutex>

#include "emulation/runtime_stream.h"

using namespace tessera::emulation;

namespace {

constexpr size_t kAlignment = 256;  // cudaMalloc's
constexpr size_t kDeviceBytes = size_t{8} << 30;

// Blocks of one kind of memory, by address.
class Blocks {
 public:
  void *take(size_t bytes, size_t limit) {
    std::lock_guard<std::mutex> lock(mutex_);
    void *block = nullptr;
    if (bytes > limit || used_ > limit - bytes || posix_memalign(&block, kAlignment, bytes) != 0) return nullptr;
    memset(block, 0xFF, bytes);
    blocks_[static_cast<char *>(block)] = bytes;
    used_ += bytes;
    return block;
  }

  bool give_back(void *block) {
    std::lock_guard<std::mutex> lock(mutex_);
    auto found = blocks_.find(static_cast<char *>(block));
    if (found == blocks_.end()) return false;
    used_ -= found->second;
    blocks_.erase(found);
    free(block);
    return true;
  }

  bool contain(const void *address) {
    std::lock_guard<std::mutex> lock(mutex_);
    auto after = blocks_.upper_bound(static_cast<char *>(const_cast<void *>(address)));
    if (after == blocks_.begin()) return false;
    auto block = std::prev(after);
    return static_cast<const char *>(address) < block->first + block->second;
  }

 private:
  std::mutex mutex_;
  std::map<char *, size_t> blocks_;
  size_t used_ = 0;
};

Blocks device_blocks, pinned_blocks;

cudaError_t allocate(Blocks &blocks, void **memory, size_t bytes) {
  *memory = nullptr;
  if (has_fault()) return cudaErrorLaunchFailure;
  if (bytes == 0) return cudaSuccess;
  *memory = blocks.take(bytes, kDeviceBytes);
  return *memory ? cudaSuccess : cudaErrorMemoryAllocation;
}

// Freeing waits for the device, as CUDA's does.
cudaError_t release(Blocks &blocks, void *memory) {
  run_everything();
  if (memory && !blocks.give_back(memory)) return cudaErrorInvalidValue;
  return has_fault() ? cudaErrorLaunchFailure : cudaSuccess;
}

}  // namespace

cudaError_t cudaMalloc(void **memory, size_t bytes) { return allocate(device_blocks, memory, bytes); }
cudaError_t cudaFree(void *memory) { return release(device_blocks, memory); }
cudaError_t cudaHostAlloc(void **memory, size_t bytes, unsigned) { return allocate(pinned_blocks, memory, bytes); }
cudaError_t cudaFreeHost(void *memory) { return release(pinned_blocks, memory); }

cudaError_t cudaPointerGetAttributes(cudaPointerAttributes *attributes, const void *memory) {
  bool device = device_blocks.contain(memory), pinned = pinned_blocks.contain(memory);
  void *address = const_cast<void *>(memory);
  *attributes = {device   ? cudaMemoryTypeDevice
                 : pinned ? cudaMemoryTypeHost
                          : cudaMemoryTypeUnregistered,
                 device || pinned ? 0 : -2, device ? address : nullptr, pinned ? address : nullptr};
  return has_fault() ? cudaErrorLaunchFailure : cudaSuccess;
}

// Copies to and from pageable memory are over when the call returns; those of pinned memory wait in the stream.
cudaError_t cudaMemcpyAsync(void *destination, const void *source, size_t bytes, cudaMemcpyKind kind,
                            cudaStream_t stream) {
  const void *host = kind == cudaMemcpyHostToDevice ? source : kind == cudaMemcpyDeviceToHost ? destination : nullptr;
  bool pageable = host && !pinned_blocks.contain(host);
  uint64_t number = stream->queue->push([=] { memcpy(destination, source, bytes); });
  if (pageable) stream->queue->run_until(number);
  return has_fault() ? cudaErrorLaunchFailure : cudaSuccess;
}

cudaError_t cudaMemsetAsync(void *memory, int value, size_t bytes, cudaStream_t stream) {
  stream->queue->push([=] { memset(memory, value, bytes); });
  return has_fault() ? cudaErrorLaunchFailure : cudaSuccess;
}
