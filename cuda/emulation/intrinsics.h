// The emulated twin of kernels/intrinsics.cuh: the same functions in the same order, for the lane that runs now.
#pragma once

#include <cstdint>
#include <cstring>

#include "emulation/multiprocessor.h"
#include "emulation/tensor_core.h"
#include "kernels/half.cuh"

// The kernel's line, for messages: a default argument, so that it is the caller's.
#define TS_CALLER const char *file = __builtin_FILE(), int line = __builtin_LINE()

namespace tessera::cuda {

constexpr unsigned kAllLanes = 0xFFFFFFFFu;

// ---- bits ----

inline uint32_t float_bits(float x) {
  uint32_t bits;
  memcpy(&bits, &x, sizeof bits);
  return bits;
}
inline float bits_float(uint32_t bits) {
  float x;
  memcpy(&x, &bits, sizeof x);
  return x;
}
inline int count_ones(uint32_t x) { return __builtin_popcount(x); }
inline int leading_zeros(uint32_t x) { return x ? __builtin_clz(x) : 32; }
inline int lowest_bit(uint32_t x) { return __builtin_ffs(static_cast<int>(x)) - 1; }
inline uint32_t high_product(uint32_t a, uint32_t b) { return static_cast<uint32_t>(uint64_t{a} * b >> 32); }

// ---- warp operations ----

namespace detail {

inline unsigned lane() {
  const dim3 &d = blockDim;
  return (threadIdx.x + d.x * (threadIdx.y + d.y * threadIdx.z)) % 32;
}

// One lane's part in a shuffle: what it gives, whose it wants, and what it gets.
struct Shuffle {
  uint64_t value;
  unsigned source;
  uint64_t result;
};

inline void combine_shuffle(void *const operands[32], unsigned) {
  for (int i = 0; i < 32; i++) {
    auto *mine = static_cast<Shuffle *>(operands[i]);
    mine->result = static_cast<Shuffle *>(operands[mine->source])->value;
  }
}

template <class T>
T shuffle_from(T value, unsigned source, const char *what, const char *file, int line) {
  static_assert(sizeof(T) == 4 || sizeof(T) == 8, "shuffles move 4 or 8 bytes");
  Shuffle mine{};
  mine.source = source;
  memcpy(&mine.value, &value, sizeof value);
  emulation::Multiprocessor::here().meet({file, line, 0, what}, kAllLanes, &mine, combine_shuffle);
  memcpy(&value, &mine.result, sizeof value);
  return value;
}

struct Vote {
  unsigned value;
  unsigned result;
};

inline void combine_ballot(void *const operands[32], unsigned) {
  unsigned votes = 0;
  for (int i = 0; i < 32; i++) votes |= static_cast<Vote *>(operands[i])->value << i;
  for (int i = 0; i < 32; i++) static_cast<Vote *>(operands[i])->result = votes;
}

inline void combine_match(void *const operands[32], unsigned) {
  for (int i = 0; i < 32; i++) {
    unsigned same = 0;
    for (int j = 0; j < 32; j++)
      same |= unsigned{static_cast<Vote *>(operands[i])->value == static_cast<Vote *>(operands[j])->value} << j;
    static_cast<Vote *>(operands[i])->result = same;
  }
}

inline unsigned vote(unsigned value, emulation::Combine combine, const char *what, const char *file, int line) {
  Vote mine{value, 0};
  emulation::Multiprocessor::here().meet({file, line, 0, what}, kAllLanes, &mine, combine);
  return mine.result;
}

}  // namespace detail

template <class T>
T shuffle(T value, int lane, TS_CALLER) {
  return detail::shuffle_from(value, static_cast<unsigned>(lane) % 32, "shuffle", file, line);
}
template <class T>
T shuffle_xor(T value, int lane_mask, TS_CALLER) {
  return detail::shuffle_from(value, (detail::lane() ^ static_cast<unsigned>(lane_mask)) % 32, "shuffle_xor", file,
                              line);
}
template <class T>
T shuffle_up(T value, unsigned delta, TS_CALLER) {
  unsigned lane = detail::lane();
  return detail::shuffle_from(value, lane >= delta ? lane - delta : lane, "shuffle_up", file, line);
}
template <class T>
T shuffle_down(T value, unsigned delta, TS_CALLER) {
  unsigned lane = detail::lane();
  return detail::shuffle_from(value, lane + delta < 32 ? lane + delta : lane, "shuffle_down", file, line);
}
inline unsigned vote_ballot(bool predicate, TS_CALLER) {
  return detail::vote(predicate, detail::combine_ballot, "vote_ballot", file, line);
}
inline bool vote_any(bool predicate, TS_CALLER) {
  return detail::vote(predicate, detail::combine_ballot, "vote_any", file, line) != 0;
}
inline bool vote_all(bool predicate, TS_CALLER) {
  return detail::vote(predicate, detail::combine_ballot, "vote_all", file, line) == kAllLanes;
}
inline unsigned match_any(unsigned value, TS_CALLER) {
  return detail::vote(value, detail::combine_match, "match_any", file, line);
}

// ---- atomics and fences: kernels of different streams may run on different threads ----

inline int atomic_add(int *address, int value) { return __atomic_fetch_add(address, value, __ATOMIC_RELAXED); }
inline unsigned atomic_add(unsigned *address, unsigned value) {
  return __atomic_fetch_add(address, value, __ATOMIC_RELAXED);
}
inline uint64_t atomic_add(uint64_t *address, uint64_t value) {
  return __atomic_fetch_add(address, value, __ATOMIC_RELAXED);
}
inline uint64_t atomic_min(uint64_t *address, uint64_t value) {
  uint64_t old = __atomic_load_n(address, __ATOMIC_RELAXED);
  while (value < old && !__atomic_compare_exchange_n(address, &old, value, true, __ATOMIC_RELAXED, __ATOMIC_RELAXED)) {
  }
  return old;
}
inline unsigned atomic_max(unsigned *address, unsigned value) {
  unsigned old = __atomic_load_n(address, __ATOMIC_RELAXED);
  while (value > old && !__atomic_compare_exchange_n(address, &old, value, true, __ATOMIC_RELAXED, __ATOMIC_RELAXED)) {
  }
  return old;
}
inline void fence_device() { __atomic_thread_fence(__ATOMIC_SEQ_CST); }
inline void fence_block() {}

// ---- memory ----

namespace detail {

inline void aligned(const void *address, size_t bytes, const char *what, const char *file, int line) {
  if (reinterpret_cast<uintptr_t>(address) % bytes != 0)
    emulation::Multiprocessor::here().fault({file, line, 0, what}, "address %p is not a multiple of %zu", address,
                                            bytes);
}

}  // namespace detail

inline uint4 load16_constant(const void *global, TS_CALLER) {
  detail::aligned(global, 16, "load16_constant", file, line);
  return *static_cast<const uint4 *>(global);
}
inline float4 load16(const float *address, TS_CALLER) {
  detail::aligned(address, 16, "load16", file, line);
  return {address[0], address[1], address[2], address[3]};
}
inline void store16(float *address, float4 v, TS_CALLER) {
  detail::aligned(address, 16, "store16", file, line);
  address[0] = v.x;
  address[1] = v.y;
  address[2] = v.z;
  address[3] = v.w;
}

// ---- asynchronous copies; TS_ASYNC_WAIT is in platform.cuh ----

template <int kBytes>
void async_copy(void *shared, const void *global, int valid = kBytes, TS_CALLER) {
  static_assert(kBytes == 4 || kBytes == 8 || kBytes == 16, "sizes of cp.async");
  detail::aligned(shared, kBytes, "async_copy to shared memory", file, line);
  detail::aligned(global, kBytes, "async_copy from global memory", file, line);
  emulation::Multiprocessor::here().async_copies().issue(shared, global, kBytes, static_cast<size_t>(valid));
}
inline void async_commit() { emulation::Multiprocessor::here().async_copies().commit(); }

// ---- 8x8 matrices from shared memory ----

namespace detail {

struct MatrixLoad {
  const void *row;
  uint32_t *registers;
};

template <int kMatrices, bool kTransposed>
void combine_load_matrix(void *const operands[32], unsigned) {
  for (int m = 0; m < kMatrices; m++) {
    uint16_t matrix[8][8];
    for (int r = 0; r < 8; r++) memcpy(matrix[r], static_cast<MatrixLoad *>(operands[8 * m + r])->row, 16);
    for (int lane = 0; lane < 32; lane++) {
      int i = lane / 4, j = lane % 4 * 2;
      uint16_t low = kTransposed ? matrix[j][i] : matrix[i][j];
      uint16_t high = kTransposed ? matrix[j + 1][i] : matrix[i][j + 1];
      static_cast<MatrixLoad *>(operands[lane])->registers[m] = low | static_cast<uint32_t>(high) << 16;
    }
  }
}

template <int kMatrices, bool kTransposed>
void load_matrices(uint32_t *r, const void *row, const char *file, int line) {
  const char *what = kTransposed ? "load_matrix_transposed" : "load_matrix";
  if (lane() < 8 * kMatrices) aligned(row, 16, what, file, line);  // the others' addresses are not used
  MatrixLoad mine{row, r};
  emulation::Multiprocessor::here().meet({file, line, 0, what}, kAllLanes, &mine,
                                         combine_load_matrix<kMatrices, kTransposed>);
}

}  // namespace detail

template <int kMatrices>
void load_matrix(uint32_t (&r)[kMatrices], const void *row, TS_CALLER) {
  static_assert(kMatrices == 1 || kMatrices == 2 || kMatrices == 4, "sizes of ldmatrix");
  detail::load_matrices<kMatrices, false>(r, row, file, line);
}
template <int kMatrices>
void load_matrix_transposed(uint32_t (&r)[kMatrices], const void *row, TS_CALLER) {
  static_assert(kMatrices == 1 || kMatrices == 2 || kMatrices == 4, "sizes of ldmatrix");
  detail::load_matrices<kMatrices, true>(r, row, file, line);
}

// ---- tensor cores ----

namespace detail {

inline void mma(float *c, const uint32_t *a, const uint32_t *b, emulation::Combine combine, const char *what,
                const char *file, int line) {
  emulation::Fragments mine{a, b, c};
  emulation::Multiprocessor::here().meet({file, line, 0, what}, kAllLanes, &mine, combine);
}

}  // namespace detail

inline void mma_f16(float (&c)[4], const uint32_t (&a)[4], const uint32_t (&b)[2], TS_CALLER) {
  detail::mma(c, a, b, emulation::combine_mma_f16, "mma_f16", file, line);
}
inline void mma_bf16(float (&c)[4], const uint32_t (&a)[4], const uint32_t (&b)[2], TS_CALLER) {
  detail::mma(c, a, b, emulation::combine_mma_bf16, "mma_bf16", file, line);
}
inline void mma_tf32(float (&c)[4], const uint32_t (&a)[4], const uint32_t (&b)[2], TS_CALLER) {
  detail::mma(c, a, b, emulation::combine_mma_tf32, "mma_tf32", file, line);
}

// ---- conversions ----

inline half_t to_half(float x) {
  uint32_t bits = float_bits(x), magnitude = bits & 0x7FFFFFFF;
  auto sign = static_cast<uint16_t>(bits >> 16 & 0x8000);
  if (magnitude > 0x7F800000) return {0x7FFF};                                 // NaN: the canonical one
  if (magnitude >= 0x477FF000) return {static_cast<uint16_t>(sign | 0x7C00)};  // rounds to 65536 or more
  uint32_t rounded;
  if (magnitude < 0x38800000) {  // below 2^-14: a multiple of 2^-24. Adding 1/2 leaves fp32 such steps, and rounds
    rounded = float_bits(bits_float(magnitude) + 0.5f) - float_bits(0.5f);
  } else {
    rounded = (magnitude - (112u << 23) + 0xFFF + (magnitude >> 13 & 1)) >> 13;
  }
  return {static_cast<uint16_t>(sign | rounded)};
}
inline float to_float(half_t x) {
  uint32_t sign = static_cast<uint32_t>(x.bits & 0x8000) << 16, magnitude = x.bits & 0x7FFFu;
  if (magnitude >= 0x7C00) return bits_float(sign | 0x7F800000 | (magnitude & 0x3FF) << 13);
  if (magnitude < 0x400) return bits_float(sign | float_bits(static_cast<float>(magnitude) * 0x1p-24f));
  return bits_float(sign | ((magnitude << 13) + (112u << 23)));
}
inline bf16_t to_bf16(float x) {
  uint32_t bits = float_bits(x);
  if ((bits & 0x7FFFFFFF) > 0x7F800000) return {0x7FFF};
  return {static_cast<uint16_t>((bits + 0x7FFF + (bits >> 16 & 1)) >> 16)};
}
inline float to_float(bf16_t x) { return bits_float(static_cast<uint32_t>(x.bits) << 16); }
inline uint32_t to_tf32(float x) {
  uint32_t bits = float_bits(x);
  if ((bits & 0x7F800000) == 0x7F800000) return bits;
  return (bits + 0x1000) & ~0x1FFFu;
}

}  // namespace tessera::cuda

#undef TS_CALLER
