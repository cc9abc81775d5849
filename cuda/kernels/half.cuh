// 16-bit floating point numbers: types of our own, since CUDA's headers are not there for g++. They carry bits only;
// conversions are in intrinsics.cuh, arithmetic is done in fp32 or by tensor cores.
#pragma once

#include <stdint.h>

namespace tessera::cuda {

// IEEE binary16: 5 bits of exponent, 10 of fraction.
struct half_t {
  uint16_t bits;
};

// bfloat16: fp32's upper half, 8 bits of exponent, 7 of fraction.
struct bf16_t {
  uint16_t bits;
};

}  // namespace tessera::cuda
