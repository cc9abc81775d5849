// The lowest row at fault, found by many threads.
#pragma once

#include <atomic>
#include <cstdint>
#include <limits>

namespace tessera::cpu::vq {

class Lowest {
 public:
  void offer(int64_t row) {
    int64_t lowest = value_.load(std::memory_order_relaxed);
    while (row < lowest && !value_.compare_exchange_weak(lowest, row, std::memory_order_relaxed)) {
    }
  }
  bool any() const { return value() != std::numeric_limits<int64_t>::max(); }
  int64_t value() const { return value_.load(std::memory_order_relaxed); }

 private:
  std::atomic<int64_t> value_{std::numeric_limits<int64_t>::max()};
};

}  // namespace tessera::cpu::vq
