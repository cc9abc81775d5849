// The arithmetic of a block of a matrix product in plain fp32: each thread's sums, from tiles in shared memory.
#pragma once

#include "kernels/product_tile.cuh"

namespace tessera::cuda {

// Plain fp32: one fma an element and k, k ascending. A thread's kThreadM rows are groups of four, 16 apart, and its
// columns likewise, 32 apart: so the 16-byte loads of a warp's 4 x 8 threads are 4 and 8 neighbouring ones, without
// bank conflicts. Per k a thread makes 64 fma of 4 loads (8 x 8). The pitch keeps 16-byte alignment and halves the
// conflicts of copies that transpose.
template <class Shape_>
class Fp32Sums {
 public:
  using Shape = Shape_;
  static constexpr int kPitchM = Shape::kM + 4, kPitchN = Shape::kN + 4;

  TS_DEVICE void add(const float *left, const float *right) {
    const float *a0 = left + first_row(), *b0 = right + first_column();
    TS_UNROLL
    for (int k = 0; k < kDepth; k++) {
      float a[kRows], b[kColumns];
      TS_UNROLL
      for (int i = 0; i < kRows; i += 4) take(load16(a0 + k * kPitchM + 4 * i), a + i);
      TS_UNROLL
      for (int j = 0; j < kColumns; j += 4) take(load16(b0 + k * kPitchN + 8 * j), b + j);
      TS_UNROLL
      for (int i = 0; i < kRows; i++) {
        TS_UNROLL
        for (int j = 0; j < kColumns; j++) sum_[i][j] = fmaf(a[i], b[j], sum_[i][j]);
      }
    }
  }

  // Gives block.row(i) its sums, by four neighbours.
  template <class Block>
  TS_DEVICE void store(const Block &block) const {
    TS_UNROLL
    for (int i = 0; i < kRows; i++) {
      const auto row = block.row(first_row() + i / 4 * 16 + i % 4);
      TS_UNROLL
      for (int j = 0; j < kColumns; j += 4) row.template store<4>(first_column() + 8 * j, &sum_[i][j]);
    }
  }

 private:
  static constexpr int kRows = Shape::kThreadM, kColumns = Shape::kThreadN;

  TS_DEVICE static void take(float4 v, float *to) {
    to[0] = v.x;
    to[1] = v.y;
    to[2] = v.z;
    to[3] = v.w;
  }
  TS_DEVICE static int first_row() {
    const int warp = static_cast<int>(threadIdx.x) / 32, lane = static_cast<int>(threadIdx.x) % 32;
    return Shape::warp_row(warp) + lane / 8 * 4;
  }
  TS_DEVICE static int first_column() {
    const int warp = static_cast<int>(threadIdx.x) / 32, lane = static_cast<int>(threadIdx.x) % 32;
    return Shape::warp_column(warp) + lane % 8 * 4;
  }

  float sum_[kRows][kColumns] = {};
};

}  // namespace tessera::cuda
