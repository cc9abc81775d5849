// Lays arrays out one after the other in one piece of memory, each aligned to 64 bytes. With a null base it only
// measures, so that the size and the layout come from the same lines of code.
#pragma once

#include <cstddef>
#include <cstdint>

namespace tessera::cpu::vq {

struct Carver {
  std::byte *base;
  size_t used = 0;

  template <class T>
  T *take(int64_t count) {
    T *at = base ? reinterpret_cast<T *>(base + used) : nullptr;
    used += (static_cast<size_t>(count) * sizeof(T) + 63) / 64 * 64;
    return at;
  }
};

}  // namespace tessera::cpu::vq
