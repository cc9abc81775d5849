// Cuts arrays out of one piece of scratch memory. Run the cuts with a null base first to learn the size.
#pragma once

#include <cstddef>
#include <cstdint>

namespace tessera::cuda {

struct Carver {
  std::byte *base;
  size_t used = 0;

  template <class T>
  T *take(int64_t n) {
    constexpr size_t kAlignment = 256;
    size_t at = used;
    used += (static_cast<size_t>(n) * sizeof(T) + kAlignment - 1) / kAlignment * kAlignment;
    return base ? reinterpret_cast<T *>(base + at) : nullptr;
  }
};

}  // namespace tessera::cuda
