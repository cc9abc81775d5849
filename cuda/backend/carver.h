// Cuts arrays out of one piece of device memory. Run the cuts with a null base first to learn the size.
#pragma once

#include <cstddef>
#include <cstdint>

#if defined(__SANITIZE_ADDRESS__)
#include <sanitizer/asan_interface.h>
#endif

namespace tessera::cuda {

struct Carver {
  std::byte *base;
  size_t used = 0;

  template <class T>
  T *take(int64_t n) {
    constexpr size_t kAlignment = 256;
    const size_t at = used, bytes = static_cast<size_t>(n) * sizeof(T);
    used += (bytes + kAlignment - 1) / kAlignment * kAlignment;
#if defined(__SANITIZE_ADDRESS__)
    // In the emulator: ground between the arrays that kernels may not touch. Stream::reserve makes it usable again.
    used += kAlignment;
    if (base) ASAN_POISON_MEMORY_REGION(base + at + bytes, used - at - bytes);
#endif
    return base ? reinterpret_cast<T *>(base + at) : nullptr;
  }
};

}  // namespace tessera::cuda
