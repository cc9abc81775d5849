// attention_backward: scores are computed again from lse (Dao et al. 2022, algorithm 4), once for the gradient by
// queries and once for those by keys and values, so that no two blocks add to one number. With P = exp(scale Q K^T -
// lse), dP = dy V^T and delta = sum over d of dy y:  dS = P (dP - delta) scale,  dQ = dS K,  dK = dS^T Q,  dV = P^T dy.
//
//   tile       32 queries (or keys) a block of 128 threads, 32 of the other at a time
//   registers  at most 168, by keys and values 255: two sums of a row are kept
//   shared     16 D bytes a row of 32, and 256 bytes: 18.4 KB (D = 32), 34.8 KB (64), 67.6 KB (128)
//   work       by queries 6 D operations and an exp a pair of positions, by keys and values 8 D; 8 D bytes a tile's row
//   order      tiles ascending, and within one the rows
#pragma once

#include "kernels/attention_tile.cuh"

namespace tessera::cuda {

// Also delta [B,H,T], which the other kernel reads.
template <int kD>
TS_KERNEL(kAttentionThreads, 3)
attention_query_gradient(AttentionShape s, const float *qkv, const float *y, const float *lse, const float *dy,
                         float *dqkv, float *delta) {
  constexpr int kRows = kAttentionRows<kD>, kPitch = kAttentionPitch<kD>;
  SharedMemory shared;
  TS_SHARED(float, queries, kRows);
  TS_SHARED(float, dys, kRows);
  TS_SHARED(float, keys, kRows);
  TS_SHARED(float, values, kRows);
  const int thread = static_cast<int>(threadIdx.x), r = thread / 4, c = thread % 4, quad = thread % 32 - c;
  const int64_t index = blockIdx.x / s.tiles, tile = s.tiles - 1 - blockIdx.x % s.tiles;
  const AttentionHead head(s, index);
  const int64_t channels = s.channels(), step = 3 * channels, first = tile * kAttentionTile, row = first + r;
  const bool inside = TS_GUARD(1, row < s.positions);
  const float *x = qkv + head.qkv;
  copy_rows<kD>(x + first * step, step, s.positions - first, s.d, queries);
  copy_rows<kD>(dy + head.y + first * channels, channels, s.positions - first, s.d, dys);

  float own = 0.0f;
  for (int64_t i = c; inside && i < s.d; i += 4)
    own = fmaf(dy[head.y + row * channels + i], y[head.y + row * channels + i], own);
  own = row_sum(own);
  const float row_lse = inside ? lse[head.row + row] : 0.0f;
  if (inside && c == 0) delta[head.row + row] = own;

  RowPart<kD> part;
  for (int64_t key = 0; key <= first; key += kAttentionTile) {
    TS_SYNC(2);
    copy_rows<kD>(x + channels + key * step, step, s.positions - key, s.d, keys);
    copy_rows<kD>(x + 2 * channels + key * step, step, s.positions - key, s.d, values);
    TS_SYNC(3);
    float score[kOwnScores], ds[kOwnScores];
    tile_products<kD>(queries + r * kPitch, keys, c, score);
    tile_products<kD>(dys + r * kPitch, values, c, ds);
    TS_UNROLL
    for (int i = 0; i < kOwnScores; i++) ds[i] = expf(score[i] * s.scale - row_lse) * (ds[i] - own) * s.scale;
    TS_UNROLL
    for (int j = 0; j < kAttentionTile; j++) {
      const float weight = shuffle(ds[j / 4], quad + j % 4);
      if (TS_GUARD(4, key + j <= row)) part.add(weight, keys + j * kPitch, c);
    }
  }
  if (inside) part.store(dqkv + head.qkv + row * step, s.d, c);
}

template <int kD>
TS_KERNEL(kAttentionThreads, 2)
attention_key_gradient(AttentionShape s, const float *qkv, const float *lse, const float *dy, const float *delta,
                       float *dqkv) {
  constexpr int kRows = kAttentionRows<kD>, kPitch = kAttentionPitch<kD>;
  SharedMemory shared;
  TS_SHARED(float, keys, kRows);
  TS_SHARED(float, values, kRows);
  TS_SHARED(float, queries, kRows);
  TS_SHARED(float, dys, kRows);
  TS_SHARED(float, lses, kAttentionTile);
  TS_SHARED(float, deltas, kAttentionTile);
  const int thread = static_cast<int>(threadIdx.x), r = thread / 4, c = thread % 4, quad = thread % 32 - c;
  const int64_t index = blockIdx.x / s.tiles, tile = blockIdx.x % s.tiles;
  const AttentionHead head(s, index);
  const int64_t channels = s.channels(), step = 3 * channels, first = tile * kAttentionTile, row = first + r;
  const float *x = qkv + head.qkv;
  copy_rows<kD>(x + channels + first * step, step, s.positions - first, s.d, keys);
  copy_rows<kD>(x + 2 * channels + first * step, step, s.positions - first, s.d, values);

  RowPart<kD> dk, dv;
  for (int64_t query = first; query < s.positions; query += kAttentionTile) {
    TS_SYNC(5);
    copy_rows<kD>(x + query * step, step, s.positions - query, s.d, queries);
    copy_rows<kD>(dy + head.y + query * channels, channels, s.positions - query, s.d, dys);
    if (thread < kAttentionTile) {
      const bool inside = TS_GUARD(6, query + thread < s.positions);
      lses[thread] = inside ? lse[head.row + query + thread] : 0.0f;
      deltas[thread] = inside ? delta[head.row + query + thread] : 0.0f;
    }
    TS_SYNC(7);
    float p[kOwnScores], ds[kOwnScores];
    tile_products<kD>(keys + r * kPitch, queries, c, p);
    tile_products<kD>(values + r * kPitch, dys, c, ds);
    TS_UNROLL
    for (int i = 0; i < kOwnScores; i++) {
      p[i] = expf(p[i] * s.scale - lses[4 * i + c]);
      ds[i] = p[i] * (ds[i] - deltas[4 * i + c]) * s.scale;
    }
    // Rows past the end add nothing: their dy and query are 0.
    TS_UNROLL
    for (int j = 0; j < kAttentionTile; j++) {
      const float weight = shuffle(p[j / 4], quad + j % 4), slope = shuffle(ds[j / 4], quad + j % 4);
      if (!TS_GUARD(8, query + j >= row)) continue;
      dv.add(weight, dys + j * kPitch, c);
      dk.add(slope, queries + j * kPitch, c);
    }
  }
  if (!TS_GUARD(9, row < s.positions)) return;
  dk.store(dqkv + head.qkv + channels + row * step, s.d, c);
  dv.store(dqkv + head.qkv + 2 * channels + row * step, s.d, c);
}

}  // namespace tessera::cuda
