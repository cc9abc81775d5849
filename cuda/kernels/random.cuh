// random_uniform: Philox4x32-10 (Salmon, Moraes, Dror and Shaw, SC 2011), the same bits as the CPU's. A counter goes
// in, four random words come out, so a thread makes four elements from their place alone: tessera.h has the layout.
//
//   tile       4 elements a thread, 256 threads
//   registers  at most 40, no shared memory
//   work       4 bytes written and about 30 integer operations an element: on an H100 memory is the limit
#pragma once

#include "kernels/intrinsics.cuh"

namespace tessera::cuda {

constexpr int kRandomThreads = 256;

struct PhiloxKey {
  uint32_t key0, key1;            // of the seed
  uint32_t stream, step0, step1;  // the counter's upper words
};

TS_DEVICE uint4 philox(uint32_t block, PhiloxKey k) {
  uint4 c = make_uint4(block, k.stream, k.step0, k.step1);
  for (int round = 0; round < 10; round++) {
    const uint32_t low0 = 0xD2511F53u * c.x, low1 = 0xCD9E8D57u * c.z;
    const uint32_t high0 = high_product(0xD2511F53u, c.x), high1 = high_product(0xCD9E8D57u, c.z);
    c = make_uint4(high1 ^ c.y ^ k.key0, low1, high0 ^ c.w ^ k.key1, low0);
    k.key0 += 0x9E3779B9u;
    k.key1 += 0xBB67AE85u;
  }
  return c;
}

TS_DEVICE float uniform(uint32_t word, float low, float range) {
  return fmaf(static_cast<float>(word >> 8) * 0x1p-24f, range, low);
}

TS_KERNEL(kRandomThreads, 6) fill_uniform(float *y, PhiloxKey key, float low, float range, int64_t count) {
  const int64_t stride = int64_t{gridDim.x} * kRandomThreads, blocks = ceil_div<int64_t>(count, 4);
  for (int64_t b = int64_t{blockIdx.x} * kRandomThreads + threadIdx.x; b < blocks; b += stride) {
    const uint4 words = philox(static_cast<uint32_t>(b), key);
    float *out = y + 4 * b;
    out[0] = uniform(words.x, low, range);
    if (TS_GUARD(1, 4 * b + 1 < count)) out[1] = uniform(words.y, low, range);
    if (TS_GUARD(2, 4 * b + 2 < count)) out[2] = uniform(words.z, low, range);
    if (TS_GUARD(3, 4 * b + 3 < count)) out[3] = uniform(words.w, low, range);
  }
}

}  // namespace tessera::cuda
