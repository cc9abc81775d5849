// What the processor can run, x86-64 only. Each implies the ones before it that its kernels use.
#pragma once

namespace tessera::cpu::vq {

bool has_avx2();         // AVX2 and FMA
bool has_avx512();       // F, DQ, BW, VL
bool has_avx512_vnni();  // and VNNI
bool has_avx512_bf16();  // and BF16

}  // namespace tessera::cpu::vq
