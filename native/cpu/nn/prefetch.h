// Asks for memory that is needed soon, into the second-level cache: loops that read rows a step at a time do not wait
// for it then. The processor's own prefetcher follows few of the streams that they read.
#pragma once

#include <cstdint>

namespace tessera::cpu {

constexpr int64_t kLineFloats = 16;

inline void prefetch_to_read(const float *from, int64_t floats) {
  for (int64_t i = 0; i < floats; i += kLineFloats) __builtin_prefetch(from + i, 0, 2);
}

inline void prefetch_to_write(float *to, int64_t floats) {
  for (int64_t i = 0; i < floats; i += kLineFloats) __builtin_prefetch(to + i, 1, 2);
}

}  // namespace tessera::cpu
