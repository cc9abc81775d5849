// All instructions that C++ has no name for: warp operations, atomics, asynchronous copies, tensor cores, conversions.
// This is the only file with inline PTX. Its emulated twin, emulation/intrinsics.h, has the same functions with the
// same meaning; a function that is added here is added there, and to tests/test_intrinsics.cu.
//
// Fragment layouts are those of the PTX ISA, "Warp Level Matrix Multiply-Accumulate Instructions". With g = lane / 4
// and t = lane % 4, a lane holds of
//
//   m16n8k16 (fp16, bf16)   A: a[0] (row g,   col 2t,2t+1)  a[1] (g+8, 2t..)  a[2] (g, 2t+8..)  a[3] (g+8, 2t+8..)
//                           B: b[0] (row 2t,2t+1, col g)    b[1] (row 2t+8,2t+9, col g)
//   m16n8k8 (tf32)          A: a[0] (g, t)  a[1] (g+8, t)  a[2] (g, t+4)  a[3] (g+8, t+4)
//                           B: b[0] (row t, col g)          b[1] (row t+4, col g)
//   both                    C: c[0],c[1] (row g, col 2t,2t+1)   c[2],c[3] (row g+8, col 2t,2t+1)
#pragma once

#include "kernels/half.cuh"
#include "kernels/platform.cuh"

#if defined(TS_EMULATED)
#include "emulation/intrinsics.h"
#else

namespace tessera::cuda {

constexpr unsigned kAllLanes = 0xFFFFFFFFu;

// ---- bits ----

TS_DEVICE uint32_t float_bits(float x) { return __float_as_uint(x); }
TS_DEVICE float bits_float(uint32_t bits) { return __uint_as_float(bits); }
TS_DEVICE int count_ones(uint32_t x) { return __popc(x); }
TS_DEVICE int leading_zeros(uint32_t x) { return __clz(static_cast<int>(x)); }   // 32 for 0
TS_DEVICE int lowest_bit(uint32_t x) { return __ffs(static_cast<int>(x)) - 1; }  // -1 for 0
TS_DEVICE uint32_t high_product(uint32_t a, uint32_t b) { return __umulhi(a, b); }

// ---- warp operations, for all 32 lanes. T has 4 or 8 bytes. ----

template <class T>
TS_DEVICE T shuffle(T value, int lane) {
  return __shfl_sync(kAllLanes, value, lane);
}
template <class T>
TS_DEVICE T shuffle_xor(T value, int lane_mask) {
  return __shfl_xor_sync(kAllLanes, value, lane_mask);
}
// From the lane `delta` below or above; lanes without such a neighbour keep their own value.
template <class T>
TS_DEVICE T shuffle_up(T value, unsigned delta) {
  return __shfl_up_sync(kAllLanes, value, delta);
}
template <class T>
TS_DEVICE T shuffle_down(T value, unsigned delta) {
  return __shfl_down_sync(kAllLanes, value, delta);
}
TS_DEVICE unsigned vote_ballot(bool predicate) { return __ballot_sync(kAllLanes, predicate); }
TS_DEVICE bool vote_any(bool predicate) { return __any_sync(kAllLanes, predicate) != 0; }
TS_DEVICE bool vote_all(bool predicate) { return __all_sync(kAllLanes, predicate) != 0; }
// The lanes that hold the same value.
TS_DEVICE unsigned match_any(unsigned value) { return __match_any_sync(kAllLanes, value); }

// ---- atomics (return the old value) and fences ----

TS_DEVICE int atomic_add(int *address, int value) { return atomicAdd(address, value); }
TS_DEVICE unsigned atomic_add(unsigned *address, unsigned value) { return atomicAdd(address, value); }
TS_DEVICE uint64_t atomic_add(uint64_t *address, uint64_t value) {
  return atomicAdd(reinterpret_cast<unsigned long long *>(address), static_cast<unsigned long long>(value));
}
TS_DEVICE uint64_t atomic_min(uint64_t *address, uint64_t value) {
  return atomicMin(reinterpret_cast<unsigned long long *>(address), static_cast<unsigned long long>(value));
}
TS_DEVICE unsigned atomic_max(unsigned *address, unsigned value) { return atomicMax(address, value); }
TS_DEVICE void fence_device() { __threadfence(); }
TS_DEVICE void fence_block() { __threadfence_block(); }

// ---- memory: 16 bytes at once, from addresses that are multiples of 16 ----

// Of memory that nobody writes while the kernel runs.
TS_DEVICE uint4 load16_constant(const void *global) {
  uint4 v;
  asm("ld.global.nc.v4.u32 {%0, %1, %2, %3}, [%4];" : "=r"(v.x), "=r"(v.y), "=r"(v.z), "=r"(v.w) : "l"(global));
  return v;
}
TS_DEVICE float4 load16(const float *address) { return *reinterpret_cast<const float4 *>(address); }
TS_DEVICE void store16(float *address, float4 v) { *reinterpret_cast<float4 *>(address) = v; }

// ---- asynchronous copies from global to shared memory: 4, 8 or 16 bytes, of which the first `valid` are read and the
// ---- rest become zeros. Wait with TS_ASYNC_WAIT(id, groups that may still be on their way), then TS_SYNC.

template <int kBytes>
TS_DEVICE void async_copy(void *shared, const void *global, int valid = kBytes) {
  static_assert(kBytes == 4 || kBytes == 8 || kBytes == 16, "sizes of cp.async");
  const auto address = static_cast<unsigned>(__cvta_generic_to_shared(shared));
  if constexpr (kBytes == 16) {  // .cg passes L1 by, which such a stream would only wash out
    asm volatile("cp.async.cg.shared.global [%0], [%1], 16, %2;" ::"r"(address), "l"(global), "r"(valid) : "memory");
  } else {
    asm volatile("cp.async.ca.shared.global [%0], [%1], %2, %3;" ::"r"(address), "l"(global), "n"(kBytes), "r"(valid)
                 : "memory");
  }
}
TS_DEVICE void async_commit() { asm volatile("cp.async.commit_group;" ::: "memory"); }
template <int kPending>
TS_DEVICE void async_wait() {
  asm volatile("cp.async.wait_group %0;" ::"n"(kPending) : "memory");
}

// ---- 8x8 matrices of 16-bit elements from shared memory. Lanes 8i..8i+7 give the addresses of matrix i's rows (16
// ---- bytes each, multiples of 16); a lane gets row lane/4, elements 2(lane%4) and the next, of each matrix.
// Transposed,
// ---- it gets column lane/4 instead.

TS_DEVICE void load_matrix(uint32_t (&r)[1], const void *row) {
  const auto address = static_cast<unsigned>(__cvta_generic_to_shared(row));
  asm volatile("ldmatrix.sync.aligned.m8n8.x1.shared.b16 {%0}, [%1];" : "=r"(r[0]) : "r"(address) : "memory");
}
TS_DEVICE void load_matrix(uint32_t (&r)[2], const void *row) {
  const auto address = static_cast<unsigned>(__cvta_generic_to_shared(row));
  asm volatile("ldmatrix.sync.aligned.m8n8.x2.shared.b16 {%0, %1}, [%2];"
               : "=r"(r[0]), "=r"(r[1])
               : "r"(address)
               : "memory");
}
TS_DEVICE void load_matrix(uint32_t (&r)[4], const void *row) {
  const auto address = static_cast<unsigned>(__cvta_generic_to_shared(row));
  asm volatile("ldmatrix.sync.aligned.m8n8.x4.shared.b16 {%0, %1, %2, %3}, [%4];"
               : "=r"(r[0]), "=r"(r[1]), "=r"(r[2]), "=r"(r[3])
               : "r"(address)
               : "memory");
}
TS_DEVICE void load_matrix_transposed(uint32_t (&r)[1], const void *row) {
  const auto address = static_cast<unsigned>(__cvta_generic_to_shared(row));
  asm volatile("ldmatrix.sync.aligned.m8n8.x1.trans.shared.b16 {%0}, [%1];" : "=r"(r[0]) : "r"(address) : "memory");
}
TS_DEVICE void load_matrix_transposed(uint32_t (&r)[2], const void *row) {
  const auto address = static_cast<unsigned>(__cvta_generic_to_shared(row));
  asm volatile("ldmatrix.sync.aligned.m8n8.x2.trans.shared.b16 {%0, %1}, [%2];"
               : "=r"(r[0]), "=r"(r[1])
               : "r"(address)
               : "memory");
}
TS_DEVICE void load_matrix_transposed(uint32_t (&r)[4], const void *row) {
  const auto address = static_cast<unsigned>(__cvta_generic_to_shared(row));
  asm volatile("ldmatrix.sync.aligned.m8n8.x4.trans.shared.b16 {%0, %1, %2, %3}, [%4];"
               : "=r"(r[0]), "=r"(r[1]), "=r"(r[2]), "=r"(r[3])
               : "r"(address)
               : "memory");
}

// ---- tensor cores: c += a b, products exact, sums truncated (REFERENCE.md, "Tensor cores truncate") ----

TS_DEVICE void mma_f16(float (&c)[4], const uint32_t (&a)[4], const uint32_t (&b)[2]) {
  asm volatile(
      "mma.sync.aligned.m16n8k16.row.col.f32.f16.f16.f32 {%0, %1, %2, %3}, {%4, %5, %6, %7}, {%8, %9}, "
      "{%0, %1, %2, %3};"
      : "+f"(c[0]), "+f"(c[1]), "+f"(c[2]), "+f"(c[3])
      : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b[0]), "r"(b[1]));
}
TS_DEVICE void mma_bf16(float (&c)[4], const uint32_t (&a)[4], const uint32_t (&b)[2]) {
  asm volatile(
      "mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {%0, %1, %2, %3}, {%4, %5, %6, %7}, {%8, %9}, "
      "{%0, %1, %2, %3};"
      : "+f"(c[0]), "+f"(c[1]), "+f"(c[2]), "+f"(c[3])
      : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b[0]), "r"(b[1]));
}
// a and b are fp32 numbers whose low 13 bits are ignored: round them with to_tf32 first.
TS_DEVICE void mma_tf32(float (&c)[4], const uint32_t (&a)[4], const uint32_t (&b)[2]) {
  asm volatile(
      "mma.sync.aligned.m16n8k8.row.col.f32.tf32.tf32.f32 {%0, %1, %2, %3}, {%4, %5, %6, %7}, {%8, %9}, "
      "{%0, %1, %2, %3};"
      : "+f"(c[0]), "+f"(c[1]), "+f"(c[2]), "+f"(c[3])
      : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b[0]), "r"(b[1]));
}

// ---- conversions ----

// To the nearest, ties to even; too large numbers become infinities.
TS_DEVICE half_t to_half(float x) {
  uint16_t bits;
  asm("cvt.rn.f16.f32 %0, %1;" : "=h"(bits) : "f"(x));
  return {bits};
}
TS_DEVICE float to_float(half_t x) {
  float y;
  asm("cvt.f32.f16 %0, %1;" : "=f"(y) : "h"(x.bits));
  return y;
}
TS_DEVICE bf16_t to_bf16(float x) {
  uint16_t bits;
  asm("cvt.rn.bf16.f32 %0, %1;" : "=h"(bits) : "f"(x));
  return {bits};
}
TS_DEVICE float to_float(bf16_t x) { return bits_float(static_cast<uint32_t>(x.bits) << 16); }
// To 10 bits of fraction, to the nearest, ties away from zero.
TS_DEVICE uint32_t to_tf32(float x) {
  uint32_t bits;
  asm("cvt.rna.tf32.f32 %0, %1;" : "=r"(bits) : "f"(x));
  return bits;
}

}  // namespace tessera::cuda

#endif

namespace tessera::cuda {

// Two 16-bit elements as the tensor cores take them: the first in the low half.
TS_DEVICE uint32_t pack(half_t low, half_t high) { return low.bits | static_cast<uint32_t>(high.bits) << 16; }
TS_DEVICE uint32_t pack(bf16_t low, bf16_t high) { return low.bits | static_cast<uint32_t>(high.bits) << 16; }

}  // namespace tessera::cuda
