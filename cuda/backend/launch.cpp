#include "backend/launch.h"

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <map>
#include <mutex>
#include <string>

namespace tessera::cuda {
namespace {

std::mutex mutex;
LaunchCounter *first = nullptr;

void raise_to(std::atomic<uint64_t> &most, uint64_t value) {
  uint64_t before = most.load(std::memory_order_relaxed);
  while (before < value && !most.compare_exchange_weak(before, value, std::memory_order_relaxed)) {
  }
}

struct Blocks {
  uint64_t threads, shared_bytes;
};

}  // namespace

// Templates and several launches make several counters of one family.
void write_launch_report() {
  const char *path = getenv("TESSERA_LAUNCH_REPORT");
  if (!path || !path[0]) return;
  std::map<std::string, uint64_t> counts;
  std::map<std::string, Blocks> kernels;
  {
    std::lock_guard<std::mutex> lock(mutex);
    for (LaunchCounter *counter = first; counter; counter = counter->next_) {
      counts[counter->family_] += counter->count_;
      Blocks &most = kernels[counter->kernel_];
      most.threads = std::max<uint64_t>(most.threads, counter->threads_);
      most.shared_bytes = std::max<uint64_t>(most.shared_bytes, counter->shared_bytes_);
    }
  }
  FILE *file = fopen(path, "a");
  if (!file) return;
  for (const auto &[family, count] : counts)
    fprintf(file, "%s %llu\n", family.c_str(), static_cast<unsigned long long>(count));
  for (const auto &[kernel, most] : kernels)
    fprintf(file, "kernel %llu %llu %s\n", static_cast<unsigned long long>(most.threads),
            static_cast<unsigned long long>(most.shared_bytes), kernel.c_str());
  fclose(file);
}

void LaunchCounter::add(dim3 block, size_t shared_bytes) {
  count_.fetch_add(1, std::memory_order_relaxed);
  raise_to(threads_, uint64_t{block.x} * block.y * block.z);
  raise_to(shared_bytes_, shared_bytes);
}

LaunchCounter::LaunchCounter(const char *family, const char *kernel) : family_(family), kernel_(kernel) {
  std::lock_guard<std::mutex> lock(mutex);
  if (!first) atexit(write_launch_report);
  next_ = first;
  first = this;
}

}  // namespace tessera::cuda
