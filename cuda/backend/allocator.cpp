#include "backend/allocator.h"

#include "kernels/platform.cuh"

namespace tessera::cuda {
namespace {

using Blocks = std::unordered_map<size_t, std::vector<void *>>;

void *take(Blocks &blocks, size_t size) {
  auto found = blocks.find(size);
  if (found == blocks.end() || found->second.empty()) return nullptr;
  void *memory = found->second.back();
  found->second.pop_back();
  return memory;
}

void free_all(Blocks &blocks) {
  for (auto &[size, list] : blocks)
    for (void *memory : list) cudaFree(memory);
  blocks.clear();
}

}  // namespace

Allocator::Policy Allocator::policy() {
#if defined(TS_EMULATED)
  return {true, 0};
#else
  return {false, size_t{4} << 30};
#endif
}

Allocator::~Allocator() { free_kept(); }

// Sizes that are not far apart share their blocks: steps of an eighth of the next lower power of two, at least 512
// bytes.
size_t Allocator::rounded(size_t bytes) const {
  if (policy_.exact) return bytes;
  size_t step = 512;
  while (step * 16 <= bytes) step *= 2;
  return (bytes + step - 1) / step * step;
}

void Allocator::free_kept() {
  free_all(ready_);
  free_all(released_);
  kept_ = 0;
}

// A kept block. What was released needs the device to be idle once; then all of it is ready.
void *Allocator::reuse(size_t size) {
  void *memory = take(ready_, size);
  if (!memory) {
    auto found = released_.find(size);
    if (found == released_.end() || found->second.empty() || cudaDeviceSynchronize() != cudaSuccess) return nullptr;
    for (auto &[other, list] : released_) {
      auto &ready = ready_[other];
      ready.insert(ready.end(), list.begin(), list.end());
    }
    released_.clear();
    memory = take(ready_, size);
  }
  kept_ -= size;
  return memory;
}

cudaError_t Allocator::allocate(size_t bytes, void **memory) {
  std::lock_guard<std::mutex> lock(mutex_);
  size_t size = rounded(bytes);
  *memory = reuse(size);
  if (!*memory) {
    cudaError_t error = cudaMalloc(memory, size);
    if (error == cudaErrorMemoryAllocation && kept_ > 0) {
      cudaGetLastError();  // it is not sticky, but stays to be asked for
      free_kept();
      error = cudaMalloc(memory, size);
    }
    if (error != cudaSuccess) {
      cudaGetLastError();
      return error;
    }
  }
  sizes_[*memory] = size;
  return cudaSuccess;
}

void Allocator::release(void *memory) {
  if (!memory) return;
  std::lock_guard<std::mutex> lock(mutex_);
  auto found = sizes_.find(memory);
  size_t size = found->second;
  sizes_.erase(found);
  if (kept_ + size > policy_.keep) {
    cudaFree(memory);  // waits for the device
  } else {
    released_[size].push_back(memory);
    kept_ += size;
  }
}

}  // namespace tessera::cuda
