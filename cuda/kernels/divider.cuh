// Division by a number that stays the same for a whole kernel, as a multiplication and a shift (Granlund and Montgomery
// 1994): 3 instructions instead of some 20.
#pragma once

#include "kernels/platform.cuh"

namespace tessera::cuda {

// For 0 <= n < 2^31 and 1 <= d < 2^31. With 2^(b-1) < d <= 2^b and m = ceil(2^(31+b) / d) < 2^32, n m / 2^(31+b) is
// above n / d by less than n 2^b / (d 2^(31+b)) < 1 / d, so that its integer part is that of n / d.
struct Divider {
  Divider() = default;
  explicit Divider(int64_t d) : divisor(static_cast<uint32_t>(d)), shift(31) {
    while (int64_t{1} << (shift - 31) < d) shift++;
    factor = static_cast<uint32_t>(((uint64_t{1} << shift) + static_cast<uint64_t>(d) - 1) / static_cast<uint64_t>(d));
  }

  TS_DEVICE int divide(int n) const { return static_cast<int>(uint64_t{static_cast<uint32_t>(n)} * factor >> shift); }
  // n / d, and what is left of n.
  TS_DEVICE int divide(int n, int *rest) const {
    const int quotient = divide(n);
    *rest = n - quotient * static_cast<int>(divisor);
    return quotient;
  }

  uint32_t divisor = 1, factor = 1u << 31, shift = 31;
};

}  // namespace tessera::cuda
