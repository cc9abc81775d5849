// convert_rows: rows into the format of the screen's family, centred and scaled, with their terms of the error bound.
//
//   tile       8 lanes a row, two numbers a lane and step; 256 threads, 32 rows
//   registers  at most 40, no shared memory
//   work       4 D bytes read and 2 D (fp16) or 4 D (fp32) written a row, and 40 more; fp16 reads the row twice, the
//              second time from L1
//   bound      norms as in docs/kernels.md, "Norms of a row": chains of fp32 fma over D / 8 numbers and a tree of 3
#pragma once

#include "kernels/assign.cuh"
#include "kernels/format.cuh"

namespace tessera::cuda {

constexpr int kConvertThreads = 256;
constexpr int kConvertRows = kConvertThreads / kRowLanes;

// An upper bound on the root of a sum of squares that fp32 fmas added up; `slack` is (D + 64) 2^-24.
TS_DEVICE float norm_above(float square, float slack) {
  const float root = sqrtf(square);
  return fmaf(root, slack, root) + 0x1p-55f;
}

// The numbers of one row of x, centred: zeros beyond the last.
struct CentredRow {
  const float *x, *mean;
  float scale;
  int64_t d;

  TS_DEVICE float operator[](int64_t i) const { return TS_GUARD(1, i < d) ? fmaf(x[i], scale, -mean[i]) : 0.0f; }
};

// x [rows, d] is the chunk; `first_row` is its place in the batch. Rows at fault get the code -1 here.
template <class Format>
TS_KERNEL(kConvertThreads, 6)
convert_rows(CodebookView book, BoundTerms bound, const float *x, SearchWork work, int lists, int64_t first_row,
             FaultSlot fault, int32_t *codes) {
  const int lane = static_cast<int>(threadIdx.x) % kRowLanes;
  const int row = static_cast<int>(blockIdx.x) * kConvertRows + static_cast<int>(threadIdx.x) / kRowLanes;
  const bool inside = TS_GUARD(2, row < work.rows);
  const CentredRow y = {x + row * book.d, book.mean, book.spread->scale, inside ? book.d : 0};
  const int64_t numbers = int64_t{book.units} * Format::kPerUnit;
  const float slack = static_cast<float>(book.d + 64) * 0x1p-24f;

  float square = 0.0f;
  for (int64_t i = 2 * lane; i < numbers; i += 2 * kRowLanes) {
    const float a = y[i], b = y[i + 1];
    square = fmaf(b, b, fmaf(a, a, square));
  }
  const float norm = norm_above(row_sum(square), slack);
  // A NaN or an infinity of the row is in the norm, and so is a finite row that is too long to be screened.
  const bool screened = inside && book.spread->screenable && norm <= kLargestRowNorm;
  const float scale = screened ? Format::scale(norm) : 0.0f;

  float lost = 0.0f;
  for (int64_t i = 2 * lane; i < numbers; i += 2 * kRowLanes) {
    const float a = screened ? y[i] * scale : 0.0f, b = screened ? y[i + 1] * scale : 0.0f;
    const float lost_a = Format::rounding_error(a), lost_b = Format::rounding_error(b);
    lost = fmaf(lost_b, lost_b, fmaf(lost_a, lost_a, lost));
    Format::store_pair(work.packed + int64_t{row} * book.units, i, a, b);
  }
  lost = row_sum(lost);
  bool finite = true;
  if (!vote_all(screened || !inside)) {
    for (int64_t i = lane; inside && i < book.d; i += kRowLanes) finite = finite && is_finite(y.x[i]);
  }
  finite = row_sum(static_cast<int>(!finite)) == 0;
  if (lane > 0) return;

  RowTerms terms = {0.0f, 0.0f, 0.0f, inside && finite ? kScanned : kAtFault};
  if (screened) {
    const float inverse = 1.0f / scale;  // powers of two
    // |y^| <= |fp32(y)| + |fp32(y) - y^|, and y is within 2^-24 of fp32(y).
    const float rounding = Format::kRounds ? norm_above(lost, slack) * inverse : 0.0f;
    terms.norm = norm + rounding;
    const float residual = fmaf(terms.norm, 0x1p-24f, rounding) + 0x1p-55f;
    terms.by_norm = fmaf(bound.product, terms.norm, residual);
    terms.fixed = bound.square * terms.norm * terms.norm;
    terms.inverse = inverse / book.spread->code_scale;
  }
  work.terms[row] = terms;
  work.lower[row] = ordered(kLowest);
  for (int list = 0; list < lists; list++) work.found[int64_t{list} * work.padded + row] = 0;
  if (!inside || finite) return;
  codes[row] = -1;
  report_fault(fault, first_row + row);
}

}  // namespace tessera::cuda
