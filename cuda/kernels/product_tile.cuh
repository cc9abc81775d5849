// Tiles of matrix products in shared memory: their shapes, and how they are copied there.
//
// A tile is a piece [kDepth, size] of an operand: element (i, k) of a left operand [M, K] or right operand [N, K] lies
// at k pitch + i, whichever way the operand lies in memory. So the sums read neighbouring i with 16-byte loads, and
// operands that lie along k are transposed by the copy itself, which is asynchronous.
#pragma once

#include "kernels/intrinsics.cuh"

namespace tessera::cuda {

constexpr int kDepth = 16;  // k of one step

// A block computes [kM, kN] of the product, a thread kThreadM x kThreadN of it, a warp 4 x 8 threads.
template <int kM_, int kN_, int kThreadM_, int kThreadN_, int kBlocks_>
struct ProductShape {
  static constexpr int kM = kM_, kN = kN_, kThreadM = kThreadM_, kThreadN = kThreadN_;
  static constexpr int kBlocks = kBlocks_;  // resident on a multiprocessor
  static constexpr int kThreads = kM * kN / (kThreadM * kThreadN);
  static constexpr int kWarpM = 4 * kThreadM, kWarpN = 8 * kThreadN;
  static_assert(kM % kWarpM == 0 && kN % kWarpN == 0, "warps cover the tile");

  // Where a warp's part begins.
  TS_DEVICE static int warp_row(int warp) { return warp % (kM / kWarpM) * kWarpM; }
  TS_DEVICE static int warp_column(int warp) { return warp / (kM / kWarpM) * kWarpN; }
};

using Square128 = ProductShape<128, 128, 8, 8, 2>;
using Tall64 = ProductShape<128, 64, 8, 8, 4>;
using Tall32 = ProductShape<128, 32, 8, 4, 4>;
using Wide64 = ProductShape<64, 128, 8, 8, 4>;
using Wide32 = ProductShape<32, 128, 8, 4, 4>;

// Where an element of an operand lies, with an address that is good in any case. What is not inside becomes 0.
struct Place {
  const float *at;
  bool inside;
};

// An operand is a source: column(k) is what is to be known of a k, place(column, i) where its elements lie.
//
// Neighbouring threads take neighbouring k of one i, which lie side by side in memory.
template <int kSize, int kPitch, int kThreads, class Source>
TS_DEVICE void copy_along_k(const Source &source, int k0, float *tile) {
  const int k = static_cast<int>(threadIdx.x) % kDepth, first = static_cast<int>(threadIdx.x) / kDepth;
  const auto column = source.column(k0 + k);
  TS_UNROLL
  for (int i = first; i < kSize; i += kThreads / kDepth) {
    const Place from = source.place(column, i);
    async_copy<4>(tile + k * kPitch + i, from.at, TS_GUARD(1, from.inside) ? 4 : 0);
  }
}

// Neighbouring threads take neighbouring i of one k: quads of them, if those lie at multiples of 16 bytes and are
// inside or outside as a whole. The loops stay loops, to save registers.
template <int kSize, int kPitch, int kThreads, class Source>
TS_DEVICE void copy_along_i(const Source &source, bool quads, int k0, float *tile) {
  constexpr int kRow = kSize / 4, kRows = kThreads / kRow;  // threads of a k, k at a time
  const int i = static_cast<int>(threadIdx.x) % kRow, first = static_cast<int>(threadIdx.x) / kRow;
  TS_UNROLL_BY(1)
  for (int k = first; k < kDepth; k += kRows) {
    const auto column = source.column(k0 + k);
    float *row = tile + k * kPitch;
    if (quads) {
      const Place from = source.place(column, 4 * i);
      async_copy<16>(row + 4 * i, from.at, TS_GUARD(2, from.inside) ? 16 : 0);
    } else {
      TS_UNROLL_BY(1)
      for (int j = 0; j < 4; j++) {
        const Place from = source.place(column, i + j * kRow);
        async_copy<4>(row + i + j * kRow, from.at, TS_GUARD(3, from.inside) ? 4 : 0);
      }
    }
  }
}

// How an operand is copied: chosen by the host from strides and addresses.
enum class Copy : int32_t { kAlongK, kAlongI, kQuadsAlongI };

template <int kSize, int kPitch, int kThreads, class Source>
TS_DEVICE void copy_tile(const Source &source, Copy copy, int k0, float *tile) {
  if (copy == Copy::kAlongK)
    copy_along_k<kSize, kPitch, kThreads>(source, k0, tile);
  else
    copy_along_i<kSize, kPitch, kThreads>(source, copy == Copy::kQuadsAlongI, k0, tile);
}

// A matrix with any strides, of which one is 1: element (i, k) at data + i stride_i + k stride_k.
struct MatrixSource {
  const float *data;
  int64_t stride_i, stride_k;
  int size_i, size_k;

  TS_DEVICE int column(int k) const { return k; }
  TS_DEVICE Place place(int k, int i) const {
    if (k >= size_k || i >= size_i) return {data, false};
    return {data + i * stride_i + k * stride_k, true};
  }
};

}  // namespace tessera::cuda
