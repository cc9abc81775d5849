// Nearest codes by screen, certify, rescore: what its kernels share. docs/kernels.md has the mechanism, the bound with
// its proof, and "Nearest code on a GPU" the plan.
//
//   convert_rows   assign_rows.cuh     rows into the screen's format, centred and scaled, with the terms of their
//   bounds screen         assign_screen.cuh   scores of all codes by a family's arithmetic; groups that the bound
//   cannot exclude
//     Fp32Simt     assign_simt.cuh       fp32 on ordinary arithmetic units
//     Fp16Mma      assign_mma.cuh        fp16 on tensor cores
//   narrow_rows    assign_narrow.cuh   these groups' codes in fp32: one code is left of almost every row
//   rescore_rows   assign_exact.cuh    the contract's float64 on the few codes that are left of the others
//   scan_rows      assign_exact.cuh    the contract's float64 on all codes, where bounds are useless
//
// Codes come in panels of 128 and groups of 8: group g is codes 8g to 8g + 7. A panel has one bound for all of its
// codes, a group is what the screen names. A family may put a panel's codes into any order of slots, as long as one
// thread gets the scores of a whole group: the group's largest score then costs one maximum a code, and no score is
// ever stored.
//
// Rows are searched in chunks, so that memory does not grow with the batch; row numbers below are within the chunk.
#pragma once

#include "kernels/codebook_view.cuh"
#include "kernels/fault.cuh"

namespace tessera::cuda {

constexpr int kTileRows = 128;                // rows of a block's tile; a chunk's arrays are padded to whole tiles
constexpr int kScreenThreads = 256;           // two for each row
constexpr int kHalves = 2;                    // a row's groups of a panel are watched by two threads, with a list each
constexpr int kListed = 8;                    // groups in a list
constexpr int kNarrowed = kHalves * kListed;  // groups of one row that are narrowed

// Row and dimension terms of the error bound (native/cpu/vq/bound.h), rounded upwards. `factor` covers the rounding of
// a bound's own evaluation; a test makes it 0 to see the certificate missed.
struct BoundTerms {
  float product, square, fp32_product, factor;
};

// A row's part of the bound, and how to read its screen.
struct alignas(16) RowTerms {
  float by_norm;  // times the panel's norm
  float norm;     // times the panel's residual: upper bound on |y| and |y^|
  float fixed;
  float inverse;  // of the scale of the row's packed numbers and of the codes'; see kScanned and kAtFault
};
constexpr float kScanned = 0.0f;   // not to be screened: its norm is out of range
constexpr float kAtFault = -1.0f;  // has a NaN or an infinity, or lies past the end of the chunk

// A chunk's arrays. `padded` is the number of its rows rounded up to whole tiles.
struct SearchWork {
  uint4 *packed;     // [padded, units] rows in the family's format
  RowTerms *terms;   // [padded]
  unsigned *lower;   // [padded] ordered(): the largest score - bound so far, which some code certainly reaches
  uint2 *lists;      // [lists, padded, kListed] upper end's bits and group; list 2s + h is of split s, half h
  int *found;        // [lists, padded] length of the list; more than kListed if it was too short
  int *uncertain;    // [rows] rows with several codes left, in any order
  int *scanned;      // [rows] rows whose codes are all scanned, in any order
  unsigned *counts;  // [2] length of `uncertain`, of `scanned`
  int rows, padded;
};

// How a screen's blocks share the work, and what stays in their shared memory: backend/screen_plan.cpp.
struct ScreenPlan {
  int tiles;             // of rows; block x of the grid takes tiles x, x + gridDim.x ...
  int panels_per_split;  // block y of the grid takes panels y * this up to (y + 1) * this
  int chunks;            // steps of a panel
  int kept_tiles;        // rows stay: a ring of so many tiles. 0: rows go through the ring of stages
  bool codes_stay;       // the split's codes stay
  int row_slots, code_slots;
};

// Statistics of a stream's searches, in device memory: as ts_vq_stats.
constexpr int kCandidateBins = 16;
struct SearchCounters {
  uint64_t rows, candidates, rescored, scanned;
  uint64_t histogram[kCandidateBins];
};

// Floats as integers in the same order, for atomic_max.
TS_DEVICE unsigned ordered(float x) {
  const uint32_t bits = float_bits(x);
  return bits >> 31 ? ~bits : bits | 0x80000000u;
}
TS_DEVICE float from_ordered(unsigned order) { return bits_float(order >> 31 ? order & 0x7FFFFFFFu : ~order); }

// Scores are above -2^92 (docs/kernels.md, "Range"), those of padding near -2^100: this is below any lower end, and
// above padding's upper ends.
constexpr float kLowest = -0x1p98f;

// The bound on a row's scores in a panel.
TS_DEVICE float screen_bound(const RowTerms &row, const PanelTerms &panel, float factor) {
  const float sum = fmaf(row.by_norm, panel.norm, fmaf(row.norm, panel.residual, panel.constant + row.fixed));
  return sum * factor;
}

// Lanes that share a row, in kernels with several rows a warp.
constexpr int kRowLanes = 8;

template <class T>
TS_DEVICE T row_sum(T x) {
  TS_UNROLL
  for (int distance = kRowLanes / 2; distance > 0; distance /= 2) x += shuffle_xor(x, distance);
  return x;
}
TS_DEVICE float row_max(float x) {
  TS_UNROLL
  for (int distance = kRowLanes / 2; distance > 0; distance /= 2) x = fmaxf(x, shuffle_xor(x, distance));
  return x;
}

}  // namespace tessera::cuda
