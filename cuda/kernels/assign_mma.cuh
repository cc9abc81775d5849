// Fp16Mma: the screen's scores by fp16 tensor cores, from sm_80 on.
//
//   tile       128 rows x 128 codes x kDepth numbers a step, 8 warps of 32 x 64, mma.m16n8k16, three stages
//   registers  at most 128 (two blocks a multiprocessor), 64 of them sums
//   shared     slots of 16 KB for rows and 16.5 KB for codes (kDepth = 64), 23.5 KB beside them: 89 KB where D <= 64
//              and the rows stay, 122 KB with K = 512 codes that stay
//   work       for 16 numbers a warp does 16 mma and 6 ldmatrix.x4; the epilogue is 1 fma and 1 maximum a score, which
//              go 4 and 2 a clock and quarter of a multiprocessor: 64 scores a clock and multiprocessor, where the
//              tensor cores make 2048 / D
//   bytes      2 D a row, once where rows stay; 2 D a code and tile of 128 rows from L2, none where codes stay
//   bound      products are exact; each sum of 16 products and the accumulator is cut off, not rounded: at most
//              max(D, 16) 2^-21 |y^||c^| in all (docs/kernels.md, "Nearest code on a GPU"); fma with the half norm
#pragma once

#include "kernels/assign_screen.cuh"
#include "kernels/format.cuh"

namespace tessera::cuda {

template <int kDepth>
class Fp16Mma {
 public:
  using Format = Fp16Format;
  static constexpr int kStages = 3;
  static constexpr bool kKeeps = true;  // what is used again stays in shared memory
  static constexpr int kUnits = kDepth / 8;
  static constexpr int kNumbers = kDepth;
  static constexpr int kSlotUnits = kUnits * kTileRows;

  // Rows of kUnits units; the units of a row are exchanged so that ldmatrix finds those of eight neighbouring rows in
  // different banks.
  TS_DEVICE static int place(int row, int unit) { return row * kUnits + (unit ^ row / (8 / kUnits) % kUnits); }

  TS_DEVICE void begin() {
    TS_UNROLL
    for (int m = 0; m < kTilesM; m++) {
      TS_UNROLL
      for (int n = 0; n < kTilesN; n++) {
        TS_UNROLL
        for (int i = 0; i < 4; i++) sums_[m][n][i] = 0.0f;
      }
    }
  }

  TS_DEVICE void multiply(const uint4 *rows, const uint4 *codes, int numbers_left) {
    // Matrices of a load: rows or codes 0-7 and 8-15, units 0 and 1, in the order of the fragments. Units 2k on are at
    // the place of unit 0 or 1 with 2k's bits exchanged.
    const int row = place(first_row() + lane() % 16, lane() / 16);
    const int code = place(first_code() + lane() % 8 + lane() / 16 * 8, lane() / 8 % 2);
    TS_UNROLL
    for (int k = 0; k < kDepth / 16; k++) {
      if (16 * k >= numbers_left) break;
      uint32_t a[kTilesM][4];
      TS_UNROLL
      for (int m = 0; m < kTilesM; m++) load_matrix(a[m], rows + (row ^ 2 * k) + place(16 * m, 0));
      TS_UNROLL
      for (int n = 0; n < kTilesN; n += 2) {
        uint32_t b[4];
        load_matrix(b, codes + (code ^ 2 * k) + place(8 * n, 0));
        const uint32_t even[2] = {b[0], b[1]}, odd[2] = {b[2], b[3]};
        TS_UNROLL
        for (int m = 0; m < kTilesM; m++) {
          mma_f16(sums_[m][n], a[m], even);
          mma_f16(sums_[m][n + 1], a[m], odd);
        }
      }
    }
  }

  // A lane has two groups of each of its rows: Fp16Format::slot_of.
  TS_DEVICE void store_maxima(const float *half_norms, const RowTerms *rows, float *maxima) const {
    TS_UNROLL
    for (int quad = 0; quad < 2; quad++) {
      const int group = first_code() / kGroup + 4 * quad + lane() % 4;
      const float4 low = load16(half_norms + kGroup * group), high = load16(half_norms + kGroup * group + 4);
      const float half_norm[kGroup] = {low.x, low.y, low.z, low.w, high.x, high.y, high.z, high.w};
      TS_UNROLL
      for (int i = 0; i < kRows; i++) {
        const float inverse = rows[row_of(i)].inverse;
        float best = -INFINITY;
        TS_UNROLL
        for (int code = 0; code < kGroup; code++) {
          const float sum = sums_[i / 2][4 * quad + code / 2][i % 2 * 2 + code % 2];
          best = fmaxf(best, fmaf(sum, inverse, -half_norm[code]));
        }
        *maximum_at(maxima, row_of(i), group) = best;
      }
    }
  }

 private:
  static constexpr int kTilesM = 2, kTilesN = 8;  // of a warp
  static constexpr int kRows = 2 * kTilesM;       // of a lane

  TS_DEVICE static int lane() { return static_cast<int>(threadIdx.x) % 32; }
  TS_DEVICE static int first_row() { return static_cast<int>(threadIdx.x) / 32 % 4 * 32; }
  TS_DEVICE static int first_code() { return static_cast<int>(threadIdx.x) / 128 * 64; }
  TS_DEVICE static int row_of(int i) { return first_row() + i / 2 * 16 + i % 2 * 8 + lane() / 4; }

  float sums_[kTilesM][kTilesN][4];
};

}  // namespace tessera::cuda
