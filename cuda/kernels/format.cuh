// Formats of the numbers that screens multiply, for rows and for codes. A unit is 16 bytes: what one asynchronous copy
// moves. Rows and codes are padded with zeros to whole chunks of units, which is what a screen's step multiplies.
#pragma once

#include "kernels/intrinsics.cuh"

namespace tessera::cuda {

// fp32 as it is. Rounding of y to fp32 is counted by whoever converts.
struct Fp32Format {
  static constexpr int kPerUnit = 4;
  static constexpr bool kRounds = false;  // beyond fp32

  TS_HOST_DEVICE static int units(int64_t d) { return static_cast<int>((d + 15) / 16 * 4); }

  // The power of two that a vector with this norm is multiplied by, beside the codebook's own scale.
  TS_DEVICE static float scale(float) { return 1.0f; }
  TS_DEVICE static float rounding_error(float) { return 0.0f; }
  TS_DEVICE static float rounded(float x) { return x; }
  TS_DEVICE static double least_norm(float) { return 0.0; }
  TS_DEVICE static void store_pair(uint4 *units, int64_t i, float a, float b) {
    *reinterpret_cast<float2 *>(reinterpret_cast<float *>(units) + i) = make_float2(a, b);
  }

  // The slot of a panel's code: thread t of the screen's 16 along a row has slots t, t + 16, t + 32 ... and so group t.
  TS_HOST_DEVICE static int slot_of(int code) { return code / 8 + code % 8 * 16; }
};

// fp16 with powers of two that bring a row's norm and the largest norm of the codes to about 2^12 (below 2^13): nothing
// overflows, and what becomes denormal is lost beside numbers 2^37 times as large.
struct Fp16Format {
  static constexpr int kPerUnit = 8;
  static constexpr bool kRounds = true;

  TS_HOST_DEVICE static int units(int64_t d) { return static_cast<int>(d <= 16 ? 2 : d <= 32 ? 4 : (d + 63) / 64 * 8); }

  // Norms below 2^-100 are left small: they are far below what a bound covers.
  TS_DEVICE static float scale(float norm) {
    const int exponent = static_cast<int>(float_bits(norm) >> 23) - 127;
    return bits_float(static_cast<uint32_t>(127 + 12 - (exponent > -100 ? exponent : -100)) << 23);
  }
  TS_DEVICE static float rounded(float x) { return to_float(to_half(x)); }
  // Tensor cores align products by the sum of their factors' exponents, and count a denormal as 2^-14: the bound on
  // what they cut off holds for codes that are at least that long.
  TS_DEVICE static double least_norm(float code_scale) { return 0x1p-14 / static_cast<double>(code_scale); }
  TS_DEVICE static float rounding_error(float x) { return x - rounded(x); }  // exact
  TS_DEVICE static void store_pair(uint4 *units, int64_t i, float a, float b) {
    reinterpret_cast<uint32_t *>(units)[i / 2] = pack(to_half(a), to_half(b));
  }

  // The slot of a panel's code. Columns 8j + 2t and the next of a warp's 64 belong to lanes with t = lane % 4, so j of
  // 0 to 3 and of 4 to 7 make a group each: see assign_mma.cuh.
  TS_HOST_DEVICE static int slot_of(int code) {
    const int group = code / 8, within = code % 8, quad = group % 8 / 4, t = group % 4;
    return group / 8 * 64 + 8 * (4 * quad + within / 2) + 2 * t + within % 2;
  }
};

}  // namespace tessera::cuda
