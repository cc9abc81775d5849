// What every family of the nearest-code search shares: rows before the screen, and the decision after it. The bound and
// its proof are in docs/kernels.md, "The bound".
//
//   measure_rows     norms of centred rows in float64, rows that are not finite; a power of two of lanes a row; at most
//                    40 registers; 4 + 4 D bytes a row
//   decide_rows      a thread a row: merges the splits of the codebook and says whether one code is left; at most 40
//                    registers; 4 + 16 bytes a row and split
#pragma once

#include "kernels/codebook_view.cuh"
#include "kernels/fault.cuh"

namespace tessera::cuda {

constexpr int kScreenThreads = 256;

// Terms of the bound that depend on the dimension alone: native/cpu/vq/bound.h.
struct BoundTerms {
  float product, square, constant;
};

// What the screen of one split of the codebook left of a row. Scores are <y, c> - 1/2 |c|^2, ends are score +- bound.
struct Screened {
  float upper;   // the largest upper end, which is of `code`
  float second;  // the largest upper end of all other codes
  float lower;   // the largest lower end: some code certainly reaches it
  int32_t code;
};

// The bound on a score's error, for a row's and a panel's norms. Infinite if they are not to be screened.
TS_DEVICE float score_bound(const BoundTerms &terms, float row_norm, float panel_norm) {
  if (!(row_norm <= kLargestRowNorm) || !(panel_norm <= kLargestCodeNorm)) return INFINITY;
  const float sum = terms.product * row_norm * panel_norm + terms.constant * (panel_norm * panel_norm) +
                    terms.square * (row_norm * row_norm) + 0x1p-90f;
  return sum * (1.0f + 0x1p-20f);  // its own rounding: a handful of operations on positive numbers
}

// Takes a code's score into account, if it is the best of its kind so far.
TS_DEVICE void merge(Screened &into, const Screened &other) {
  if (other.upper > into.upper) {
    into.second = into.upper > other.second ? into.upper : other.second;
    into.upper = other.upper;
    into.code = other.code;
  } else {
    into.second = into.second > other.upper ? into.second : other.upper;
  }
  into.lower = into.lower > other.lower ? into.lower : other.lower;
}

// norms [n]: at least |y| and the norm of its rounded copy; NaN for a row that is not finite, which is reported.
TS_KERNEL(kScreenThreads, 6)
measure_rows(CodebookView book, const float *x, int64_t n, int lanes, float *norms, FaultSlot fault) {
  const int lane = static_cast<int>(threadIdx.x) % lanes, rows = kScreenThreads / lanes;
  const float scale = book.spread->scale;
  const int64_t row = int64_t{blockIdx.x} * rows + static_cast<int>(threadIdx.x) / lanes;
  const bool inside = TS_GUARD(1, row < n);
  double square = 0.0;
  bool finite = true;
  for (int64_t i = lane; i < book.d && inside; i += lanes) {
    const float number = x[row * book.d + i], y = fmaf(number, scale, -book.mean[i]);
    finite = finite && is_finite(number);
    square = fma(static_cast<double>(y), static_cast<double>(y), square);
  }
  for (int mask = lanes / 2; mask > 0; mask /= 2) {
    square += shuffle_xor(square, mask);
    finite = shuffle_xor(static_cast<int>(finite), mask) != 0 && finite;
  }
  if (lane > 0 || !inside) return;
  // |y| <= |y^| (1 + 2^-24) and denormals.
  norms[row] = finite ? static_cast<float>(sqrt(square) * (1 + 0x1p-21) + 0x1p-55) : NAN;
  if (!finite) report_fault(fault, row);
}

// Statistics of a stream's searches, in device memory: as ts_vq_stats.
struct SearchCounters {
  uint64_t rows, candidates, rescored, scanned;
  uint64_t histogram[16];
};

// The rows that one code is left of get it, rows at fault -1; the others go onto the list, in any order.
TS_KERNEL(kScreenThreads, 6)
decide_rows(const Screened *screened, const float *norms, int64_t n, int splits, int64_t k, int32_t *codes,
            uint32_t *listed, int32_t *list, SearchCounters *counters) {
  const int64_t row = int64_t{blockIdx.x} * kScreenThreads + threadIdx.x;
  const bool inside = TS_GUARD(2, row < n);
  bool certain = false, open = false;
  if (inside) {
    Screened best = screened[row];
    for (int split = 1; split < splits; split++) merge(best, screened[split * n + row]);
    const bool fault = norms[row] != norms[row];
    certain = !fault && best.second < best.lower;
    open = !fault && !certain;
    codes[row] = certain ? best.code : -1;
    if (open) list[atomic_add(listed, 1u)] = static_cast<int32_t>(row);
  }
  const auto certain_rows = static_cast<uint64_t>(count_ones(vote_ballot(certain)));
  const auto open_rows = static_cast<uint64_t>(count_ones(vote_ballot(open)));
  const auto rows = static_cast<uint64_t>(count_ones(vote_ballot(inside)));
  if (threadIdx.x % 32 > 0) return;
  const auto all = static_cast<uint64_t>(k);
  atomic_add(&counters->rows, rows);
  atomic_add(&counters->candidates, certain_rows + open_rows * all);
  atomic_add(&counters->rescored, k > 1 ? open_rows : 0);
  atomic_add(&counters->histogram[1], certain_rows);
  atomic_add(&counters->histogram[k < 15 ? k : 15], open_rows);
}

}  // namespace tessera::cuda
