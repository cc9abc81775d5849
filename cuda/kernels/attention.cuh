// attention_forward: y and lse of a block of queries, with the softmax kept up over tiles of keys (Milakov and
// Gimelshein 2018; Dao et al. 2022, algorithm 1): no scores reach global memory.
//
//   tile       32 queries a block of 128 threads, 32 keys at a time, up to the diagonal
//   registers  at most 168
//   shared     12 D bytes a row of 32: 13.8 KB (D = 32), 26.1 KB (64), 50.7 KB (128)
//   work       4 D operations and an exp a pair of positions; 8 D bytes a key and block. By shared memory a pair costs
//              9/8 + 1/4 loads of 16 bytes for each 16 fma: it, not arithmetic, is the bound
//   order      tiles ascending, and within one the keys; a key behind the query does not enter, so that not even a NaN
//              there does
#pragma once

#include "kernels/attention_tile.cuh"

namespace tessera::cuda {

template <int kD>
TS_KERNEL(kAttentionThreads, 3)
attention_rows(AttentionShape s, const float *qkv, float *y, float *lse) {
  constexpr int kRows = kAttentionRows<kD>, kPitch = kAttentionPitch<kD>;
  SharedMemory shared;
  TS_SHARED(float, queries, kRows);
  TS_SHARED(float, keys, kRows);
  TS_SHARED(float, values, kRows);
  const int thread = static_cast<int>(threadIdx.x), r = thread / 4, c = thread % 4, quad = thread % 32 - c;
  // The last queries have the most keys and begin first.
  const int64_t index = blockIdx.x / s.tiles, tile = s.tiles - 1 - blockIdx.x % s.tiles;
  const AttentionHead head(s, index);
  const int64_t channels = s.channels(), step = 3 * channels, first = tile * kAttentionTile, row = first + r;
  const float *x = qkv + head.qkv;
  copy_rows<kD>(x + first * step, step, s.positions - first, s.d, queries);

  RowPart<kD> part;
  float most = -INFINITY, sum = 0.0f;
  for (int64_t key = 0; key <= first; key += kAttentionTile) {
    TS_SYNC(1);
    copy_rows<kD>(x + channels + key * step, step, s.positions - key, s.d, keys);
    copy_rows<kD>(x + 2 * channels + key * step, step, s.positions - key, s.d, values);
    TS_SYNC(2);
    float p[kOwnScores], tile_most = -INFINITY;
    tile_products<kD>(queries + r * kPitch, keys, c, p);
    TS_UNROLL
    for (int i = 0; i < kOwnScores; i++) {
      p[i] *= s.scale;
      if (TS_GUARD(3, key + 4 * i + c <= row)) tile_most = fmaxf(tile_most, p[i]);
    }
    const float more = fmaxf(most, row_max(tile_most)), shrink = expf(most - more);
    most = more;
    sum *= shrink;
    part.scale(shrink);
    TS_UNROLL
    for (int i = 0; i < kOwnScores; i++) {
      p[i] = expf(p[i] - most);
      if (TS_GUARD(4, key + 4 * i + c <= row)) sum += p[i];
    }
    TS_UNROLL
    for (int j = 0; j < kAttentionTile; j++) {
      const float weight = shuffle(p[j / 4], quad + j % 4);
      if (TS_GUARD(5, key + j <= row)) part.add(weight, values + j * kPitch, c);
    }
  }
  sum = row_sum(sum);
  if (!TS_GUARD(6, row < s.positions)) return;
  part.scale(1.0f / sum);
  part.store(y + head.y + row * channels, s.d, c);
  if (c == 0) lse[head.row + row] = most + logf(sum);
}

}  // namespace tessera::cuda
