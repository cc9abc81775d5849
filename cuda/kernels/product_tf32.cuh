// The arithmetic of a block of a matrix product on tensor cores: factors rounded to TF32 (10 bits of fraction),
// products exact, sums in fp32 that are cut off instead of rounded. The relative error of a product is 2^-10 at most
// where fp32 has 2^-24, so it is off unless the environment variable TESSERA_TF32 is 1.
//
//   tile       product.cuh's; a warp makes 16 x 8 pieces (mma.sync m16n8k8), 2 x 8 of them (2 x 4 in the narrow tiles)
//   registers  as with fp32: the sums are as many
//   shared     34.8 KB (128 x 128); the pitch is 8 modulo 32, so that the loads of a fragment, 4 k by 8 neighbours, hit
//              32 different banks
//   work       2 kN kM k16 operations of 2 (kM + kN) k16 numbers read from shared memory and rounded; an H100's tensor
//              cores make 495 TFLOP/s by wgmma and some 60 % of it by mma.sync
#pragma once

#include "kernels/product_tile.cuh"

namespace tessera::cuda {

template <class Shape_>
class Tf32Sums {
 public:
  using Shape = Shape_;
  static constexpr int kPitchM = Shape::kM + 8, kPitchN = Shape::kN + 8;

  TS_DEVICE void add(const float *left, const float *right) {
    const int lane = static_cast<int>(threadIdx.x) % 32, g = lane / 4, t = lane % 4;
    const float *a0 = left + t * kPitchM + warp_row() + g, *b0 = right + t * kPitchN + warp_column() + g;
    TS_UNROLL
    for (int k = 0; k < kDepth; k += 8) {
      uint32_t a[kRows][4], b[kColumns][2];
      TS_UNROLL
      for (int i = 0; i < kRows; i++) {
        TS_UNROLL
        for (int r = 0; r < 4; r++) a[i][r] = to_tf32(a0[(k + r / 2 * 4) * kPitchM + 16 * i + r % 2 * 8]);
      }
      TS_UNROLL
      for (int j = 0; j < kColumns; j++) {
        TS_UNROLL
        for (int r = 0; r < 2; r++) b[j][r] = to_tf32(b0[(k + 4 * r) * kPitchN + 8 * j]);
      }
      TS_UNROLL
      for (int i = 0; i < kRows; i++) {
        TS_UNROLL
        for (int j = 0; j < kColumns; j++) mma_tf32(sum_[i][j], a[i], b[j]);
      }
    }
  }

  template <class Block>
  TS_DEVICE void store(const Block &block) const {
    const int lane = static_cast<int>(threadIdx.x) % 32, g = lane / 4, t = lane % 4;
    TS_UNROLL
    for (int i = 0; i < 2 * kRows; i++) {
      const auto row = block.row(warp_row() + 8 * i + g);
      TS_UNROLL
      for (int j = 0; j < kColumns; j++)
        row.template store<2>(warp_column() + 8 * j + 2 * t, &sum_[i / 2][j][i % 2 * 2]);
    }
  }

 private:
  static constexpr int kRows = Shape::kWarpM / 16, kColumns = Shape::kWarpN / 8;  // pieces of a warp

  TS_DEVICE static int warp_row() { return Shape::warp_row(static_cast<int>(threadIdx.x) / 32); }
  TS_DEVICE static int warp_column() { return Shape::warp_column(static_cast<int>(threadIdx.x) / 32); }

  float sum_[kRows][kColumns][4] = {};
};

}  // namespace tessera::cuda
