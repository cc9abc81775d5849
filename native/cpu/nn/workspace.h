// One op's temporary memory: grows to the largest need of a stream's layers and is then reused, so that a steady step
// allocates nothing. Contents do not outlive the op.
#pragma once

#include <cstddef>

#include "cpu/stream.h"

namespace tessera::cpu {

class Workspace {
 public:
  explicit Workspace(Device *device) : device_(device) {}
  ~Workspace();
  Workspace(const Workspace &) = delete;
  Workspace &operator=(const Workspace &) = delete;

  // At least `bytes`, aligned to 64; throws std::bad_alloc. A larger request invalidates the earlier pointer.
  char *reserve(size_t bytes);

 private:
  void release();

  Device *device_;
  char *data_ = nullptr;
  size_t capacity_ = 0;
};

constexpr size_t round_up_64(size_t bytes) { return (bytes + 63) / 64 * 64; }

}  // namespace tessera::cpu
