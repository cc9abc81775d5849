// libgomp keeps its thread count per calling thread, and the caller may be any thread of a JVM: the stream's count is
// set around oneDNN's calls and the caller's restored. With one thread oneDNN enters no parallel region.
#pragma once

#include <omp.h>

namespace tessera::cpu {

class ThreadScope {
 public:
  explicit ThreadScope(int threads) : before_(omp_get_max_threads()) {
    if (before_ != threads) omp_set_num_threads(threads);
    changed_ = before_ != threads;
  }
  ~ThreadScope() {
    if (changed_) omp_set_num_threads(before_);
  }
  ThreadScope(const ThreadScope &) = delete;
  ThreadScope &operator=(const ThreadScope &) = delete;

 private:
  int before_;
  bool changed_;
};

}  // namespace tessera::cpu
