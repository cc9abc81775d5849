// The loops of measure_fp32_peak on x86-64. Assembly, because a compiler may fold such a loop, or keep its chains in
// memory; each function is compiled for the instructions that it is named for, and runs only where they are.
#include <immintrin.h>

#include "cpu/peak.h"

namespace tessera::cpu {
namespace {

// 1 is the fixed point of 0.75 v + 0.25: no value becomes a denormal, which would be slow, or grows.
constexpr float kFactor = 0.75f, kSummand = 0.25f;

__attribute__((target("avx512f"), noinline)) void run_avx512(int64_t iterations) {
  __m512 chains[kPeakChains];
  for (auto &v : chains) v = _mm512_set1_ps(1.0f);
  __m512 x = _mm512_set1_ps(kFactor), y = _mm512_set1_ps(kSummand);
  for (int64_t i = 0; i < iterations; i++) {
#pragma GCC unroll 12
    for (auto &v : chains) asm volatile("vfmadd213ps %2, %1, %0" : "+v"(v) : "v"(x), "v"(y));
  }
}

__attribute__((target("avx2,fma"), noinline)) void run_avx2(int64_t iterations) {
  __m256 chains[kPeakChains];
  for (auto &v : chains) v = _mm256_set1_ps(1.0f);
  __m256 x = _mm256_set1_ps(kFactor), y = _mm256_set1_ps(kSummand);
  for (int64_t i = 0; i < iterations; i++) {
#pragma GCC unroll 12
    for (auto &v : chains) asm volatile("vfmadd213ps %2, %1, %0" : "+x"(v) : "x"(x), "x"(y));
  }
}

// Without fma, a product and a sum are the two operations; they go to different units. Half as many chains of each, and
// twice as many rounds.
__attribute__((noinline)) void run_sse(int64_t iterations) {
  struct Pair {
    __m128 product, sum;
  } chains[kPeakChains / 2];
  for (auto &pair : chains) pair = {_mm_set1_ps(1.0f), _mm_set1_ps(1.0f)};
  __m128 one = _mm_set1_ps(1.0f), zero = _mm_setzero_ps();
  for (int64_t i = 0; i < 2 * iterations; i++) {
#pragma GCC unroll 6
    for (auto &pair : chains) {
      asm volatile("mulps %1, %0" : "+x"(pair.product) : "x"(one));
      asm volatile("addps %1, %0" : "+x"(pair.sum) : "x"(zero));
    }
  }
}

bool has_avx512() { return __builtin_cpu_supports("avx512f"); }
bool has_avx2() { return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma"); }
bool has_sse() { return true; }

}  // namespace

const PeakLoop kPeakLoops[] = {
    {512, has_avx512, run_avx512}, {256, has_avx2, run_avx2}, {128, has_sse, run_sse}, {0, nullptr, nullptr}};

}  // namespace tessera::cpu
