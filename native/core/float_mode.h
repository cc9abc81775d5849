// IEEE arithmetic for the length of a scope: rounding to nearest, denormals kept. The contract is the same bits for
// every caller, and a library in the caller's process may have set flush-to-zero for its threads.
#pragma once

#if defined(__x86_64__)
#include <xmmintrin.h>
#endif

namespace tessera {

class FloatMode {
 public:
#if defined(__x86_64__)
  FloatMode() : saved_(_mm_getcsr()) {
    if ((saved_ & kModes) != 0) _mm_setcsr(saved_ & ~kModes);
  }
  ~FloatMode() {
    if ((saved_ & kModes) != 0) _mm_setcsr(saved_);
  }

 private:
  static constexpr unsigned kModes = 0xE040;  // flush to zero, rounding control, denormals are zero
  unsigned saved_;
#else
  FloatMode() = default;
  ~FloatMode() {}

 private:
#endif
  FloatMode(const FloatMode &) = delete;
  FloatMode &operator=(const FloatMode &) = delete;
};

}  // namespace tessera
