// Fp32Simt: the screen's scores by fp32 fma, for every GPU and every shape, and the yardstick of the other families.
//
//   tile       128 rows x 128 codes x 16 numbers a step, 8 x 8 scores a thread, 256 threads, two stages
//   registers  at most 128 (two blocks a multiprocessor)
//   shared     slots of 8 KB for rows, 8.5 KB for codes, two of each, and 23.5 KB beside them: 57 KB
//   work       K D fma a row, and the epilogue: 1 + 1 instructions a score. For 4 numbers a thread does 256 fma and 40
//              16-byte loads from shared memory, 32 of them of rows
//   bytes      4 D a row and panel, 4 D a code and tile of 128 rows, from L2
//   bound      a chain of D fma and the subtraction of the half norm: D + 1 roundings
#pragma once

#include "kernels/assign_screen.cuh"
#include "kernels/format.cuh"

namespace tessera::cuda {

class Fp32Simt {
 public:
  using Format = Fp32Format;
  static constexpr int kStages = 2;
  static constexpr bool kKeeps = false;  // L2 is far faster than these sums
  static constexpr int kUnits = 4;       // of a row in a step
  static constexpr int kNumbers = 16;    // the same
  static constexpr int kSlotUnits = kUnits * kTileRows;

  // Planes of one unit of all rows: neighbouring rows are 16 bytes apart.
  TS_DEVICE static int place(int row, int unit) { return unit * kTileRows + row; }

  TS_DEVICE void begin() {
    TS_UNROLL
    for (int i = 0; i < kSide; i++) {
      TS_UNROLL
      for (int j = 0; j < kSide; j++) sums_[i][j] = 0.0f;
    }
  }

  // Rows of the thread are 16 apart, and so are its slots of codes. Two codes at a time, for registers: a warp's loads
  // of rows reach four addresses, and go in one pass.
  TS_DEVICE void multiply(const uint4 *rows, const uint4 *codes, int numbers_left) {
    const auto *row = reinterpret_cast<const float *>(rows + row_place());
    const auto *code = reinterpret_cast<const float *>(codes + code_place());
    const int units = numbers_left < kNumbers ? (numbers_left + 3) / 4 : kUnits;
    for (int unit = 0; unit < units; unit++, row += 4 * kTileRows, code += 4 * kPanel) {
      TS_UNROLL
      for (int j = 0; j < kSide; j += 2) {
        const float4 b = load16(code + 4 * 16 * j), c = load16(code + 4 * 16 * (j + 1));
        TS_UNROLL
        for (int i = 0; i < kSide; i++) {
          const float4 a = load16(row + 4 * 16 * i);
          sums_[i][j] = fmaf(a.w, b.w, fmaf(a.z, b.z, fmaf(a.y, b.y, fmaf(a.x, b.x, sums_[i][j]))));
          sums_[i][j + 1] = fmaf(a.w, c.w, fmaf(a.z, c.z, fmaf(a.y, c.y, fmaf(a.x, c.x, sums_[i][j + 1]))));
        }
      }
    }
  }

  // The thread's eight codes are group code_place().
  TS_DEVICE void store_maxima(const float *half_norms, const RowTerms *, float *maxima) const {
    const float4 low = load16(half_norms + kGroup * code_place()),
                 high = load16(half_norms + kGroup * code_place() + 4);
    const float half_norm[kSide] = {low.x, low.y, low.z, low.w, high.x, high.y, high.z, high.w};
    TS_UNROLL
    for (int i = 0; i < kSide; i++) {
      float best = sums_[i][0] - half_norm[0];
      TS_UNROLL
      for (int j = 1; j < kSide; j++) best = fmaxf(best, sums_[i][j] - half_norm[j]);
      *maximum_at(maxima, row_place() + 16 * i, code_place()) = best;
    }
  }

 private:
  static constexpr int kSide = 8;

  // A warp is 4 rows x 8 codes wide: its loads reach few addresses, all in different banks.
  TS_DEVICE static int row_place() {
    return static_cast<int>(threadIdx.x) / 64 * 4 + static_cast<int>(threadIdx.x) % 32 / 8;
  }
  TS_DEVICE static int code_place() {
    return static_cast<int>(threadIdx.x) / 32 % 2 * 8 + static_cast<int>(threadIdx.x) % 8;
  }

  float sums_[kSide][kSide];
};

}  // namespace tessera::cuda
