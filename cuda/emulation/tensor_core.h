// mma.sync on the CPU, with the arithmetic of real tensor cores.
//
// Products are exact. Those of one step and the accumulator are aligned to the largest exponent among them, and bits
// below the 23 + extra fraction bits of that exponent are cut off; the sum is cut off to fp32. Nothing is rounded to
// the nearest. How many products one step takes, and how many extra bits there are, depends on the GPU (Fasi, Higham,
// Mikaitis and Pranesh 2021, "Numerical behavior of NVIDIA tensor cores"; Khattak and Mikaitis 2025, arXiv 2512.07004):
// H100 16 products and 2 bits, A100 8 and 1; of TF32 half as many. TESSERA_EMULATION_TENSOR=a100 chooses the latter.
#pragma once

#include <cstdint>

namespace tessera::emulation {

// One lane's registers of a matrix product.
struct Fragments {
  const uint32_t *a, *b;
  float *c;
};

void combine_mma_f16(void *const operands[32], unsigned mask);
void combine_mma_bf16(void *const operands[32], unsigned mask);
void combine_mma_tf32(void *const operands[32], unsigned mask);

}  // namespace tessera::emulation
