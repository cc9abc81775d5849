// Sums over the rows of a matrix: see kernels/column_sums.cuh.
#pragma once

#include "backend/stream.h"
#include "kernels/column_sums.cuh"

namespace tessera::cuda {

// Floats of scratch memory that column_sums needs for its parts. With one part there are none.
inline int64_t column_sums_scratch(int64_t rows, int64_t columns, int sums) {
  int64_t floats = 0;
  for (int64_t parts = ceil_div<int64_t>(rows, kColumnPart); parts > 1; parts = ceil_div<int64_t>(parts, kColumnPart))
    floats += parts * columns * sums;
  return floats;
}

// One turn: the sums of each part.
template <class Term, class Finish>
ts_status add_rows(Stream *s, const char *family, Term term, Finish finish, int64_t rows, int64_t columns,
                   SumRows<Term::kSums> out) {
  int width = 1;
  while (width < columns && width < kColumnsAtMost) width *= 2;
  const int64_t parts = rows > kColumnPart ? ceil_div<int64_t>(rows, kColumnPart) : 1;
  return TS_LAUNCH_ON(s, family, (column_sums<Term, Finish>),
                      static_cast<unsigned>(parts * ceil_div<int64_t>(columns, width)), kColumnThreads,
                      shared_bytes<float>(Term::kSums * kColumnThreads), term, finish, rows, columns, width, out);
}

// y[j][c] = finish(the sum over rows of term's j-th number of column c, c); zero rows have the sum 0.
template <class Term, class Finish>
ts_status sum_columns(Stream *s, const char *family, Term term, Finish finish, int64_t rows, int64_t columns,
                      float *scratch, float *const (&y)[Term::kSums]) {
  constexpr int kSums = Term::kSums;
  SumRows<kSums> out{{}, 0};
  for (int j = 0; j < kSums; j++) out.y[j] = y[j];
  if (rows <= kColumnPart) return add_rows(s, family, term, finish, rows, columns, out);

  const int64_t width = kSums * columns;  // of a row of parts: all sums beside each other
  for (int j = 0; j < kSums; j++) out.y[j] = scratch + j * columns;
  out.pitch = width;
  TS_TRY(add_rows(s, family, term, AsItIs(), rows, columns, out));
  int64_t parts = ceil_div<int64_t>(rows, kColumnPart);
  while (parts > kColumnPart) {
    float *next = scratch + parts * width;
    TS_TRY(add_rows(s, family, MatrixElements{scratch, width}, AsItIs(), parts, width, SumRows<1>{{next}, width}));
    scratch = next;
    parts = ceil_div<int64_t>(parts, kColumnPart);
  }
  for (int j = 0; j < kSums; j++)
    TS_TRY(add_rows(s, family, MatrixElements{scratch + j * columns, width}, finish, parts, columns,
                    SumRows<1>{{y[j]}, 0}));
  return TS_OK;
}

}  // namespace tessera::cuda
