// What attention's kernels share: blocks of 32 queries against tiles of 32 keys, and how threads divide them.
//
// 128 threads, four to a row. Of a row's 32 scores a thread computes every fourth; of a row's D results it keeps the
// fours of numbers from 4 (thread % 4) on, 16 apart. Scores pass between the four by shuffles. Rows lie in shared
// memory with a pitch of D + 4: eight neighbouring rows are in different banks.
#pragma once

#include "kernels/intrinsics.cuh"

namespace tessera::cuda {

constexpr int kAttentionThreads = 128;
constexpr int kAttentionTile = 32;  // queries and keys
constexpr int kOwnScores = kAttentionTile / 4;

// One call. D is the size of a head, which the kernels round up to 32, 64 or 128 with zeros.
struct AttentionShape {
  int64_t heads, positions, d;
  int tiles;  // of positions
  float scale;

  TS_DEVICE int64_t channels() const { return heads * d; }
};

// What a block works on: one head of one image.
struct AttentionHead {
  TS_DEVICE AttentionHead(const AttentionShape &s, int64_t index)
      : qkv(index / s.heads * s.positions * 3 * s.channels() + index % s.heads * s.d),
        y(index / s.heads * s.positions * s.channels() + index % s.heads * s.d),
        row(index * s.positions) {}

  int64_t qkv, y, row;  // where it begins in [B,T,3C], [B,T,C] and [B,H,T]
};

template <int kD>
constexpr int kAttentionPitch = kD + 4;
template <int kD>
constexpr int kAttentionRows = kAttentionTile *kAttentionPitch<kD>;

// 32 rows of kD numbers into shared memory; what is not there becomes 0.
template <int kD>
TS_DEVICE void copy_rows(const float *from, int64_t step, int64_t rows, int64_t d, float *to) {
  for (int i = static_cast<int>(threadIdx.x); i < kAttentionTile * kD; i += kAttentionThreads) {
    const int row = i / kD, column = i % kD;
    const bool inside = TS_GUARD(1, row < rows && column < d);
    to[row * kAttentionPitch<kD> + column] = inside ? from[row * step + column] : 0.0f;
  }
}

// score[i] = the product of `row` with row 4 i + c of the tile.
template <int kD>
TS_DEVICE void tile_products(const float *row, const float *tile, int c, float (&score)[kOwnScores]) {
  TS_UNROLL
  for (int i = 0; i < kOwnScores; i++) score[i] = 0.0f;
  for (int k = 0; k < kD; k += 4) {
    const float4 a = load16(row + k);
    TS_UNROLL
    for (int i = 0; i < kOwnScores; i++) {
      const float4 b = load16(tile + (4 * i + c) * kAttentionPitch<kD> + k);
      score[i] = fmaf(a.x, b.x, fmaf(a.y, b.y, fmaf(a.z, b.z, fmaf(a.w, b.w, score[i]))));
    }
  }
}

// A thread's part of a row of results.
template <int kD>
class RowPart {
 public:
  TS_DEVICE void scale(float factor) {
    TS_UNROLL
    for (int i = 0; i < kOwn; i++) sum_[i] *= factor;
  }

  // Adds weight times a row of a tile.
  TS_DEVICE void add(float weight, const float *row, int c) {
    TS_UNROLL
    for (int i = 0; i < kOwn; i += 4) {
      const float4 v = load16(row + 4 * i + 4 * c);
      sum_[i] = fmaf(weight, v.x, sum_[i]);
      sum_[i + 1] = fmaf(weight, v.y, sum_[i + 1]);
      sum_[i + 2] = fmaf(weight, v.z, sum_[i + 2]);
      sum_[i + 3] = fmaf(weight, v.w, sum_[i + 3]);
    }
  }

  TS_DEVICE void store(float *to, int64_t d, int c) const {
    TS_UNROLL
    for (int i = 0; i < kOwn; i++) {
      const int column = i / 4 * 16 + 4 * c + i % 4;
      if (TS_GUARD(2, column < d)) to[column] = sum_[i];
    }
  }

 private:
  static constexpr int kOwn = kD / 4;
  float sum_[kOwn] = {};
};

// Over the four threads of a row.
TS_DEVICE float row_sum(float x) {
  x += shuffle_xor(x, 1);
  return x + shuffle_xor(x, 2);
}
TS_DEVICE float row_max(float x) {
  x = fmaxf(x, shuffle_xor(x, 1));
  return fmaxf(x, shuffle_xor(x, 2));
}

}  // namespace tessera::cuda
