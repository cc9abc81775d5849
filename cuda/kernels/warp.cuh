// Sums and maxima over the 32 lanes of a warp: all lanes get the result, by the same five steps and so the same bits.
#pragma once

#include "kernels/intrinsics.cuh"

namespace tessera::cuda {

template <class T>
TS_DEVICE T warp_sum(T x) {
  TS_UNROLL
  for (int distance = 16; distance > 0; distance /= 2) x += shuffle_xor(x, distance);
  return x;
}

// A NaN is passed over if any lane has a number.
TS_DEVICE float warp_max(float x) {
  TS_UNROLL
  for (int distance = 16; distance > 0; distance /= 2) x = fmaxf(x, shuffle_xor(x, distance));
  return x;
}

}  // namespace tessera::cuda
