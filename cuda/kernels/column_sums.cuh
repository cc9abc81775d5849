// Sums over the rows of a matrix, in an order that depends on its shape alone: gradients of biases and of layer
// normalisation's gamma and beta, and the parts of a matrix product that was split (gemm.cuh).
//
//   tile       parts of 1024 rows; `width` columns a block (a power of two up to 32, so that few columns still fill a
//              warp's loads) and 256 / width rows at a time. A thread adds its rows ascending, then the threads of a
//              column are added by halves. Sums of parts are rows again, and added in the same way
//   registers  at most 64
//   shared     1 KB a sum
//   work       what the term reads (4 bytes an element for sums) and one addition: bound by memory
#pragma once

#include "kernels/intrinsics.cuh"

namespace tessera::cuda {

constexpr int kColumnThreads = 256;
constexpr int kColumnPart = 1024;  // rows
constexpr int kColumnsAtMost = 32;
constexpr int kColumnAhead = 4;  // numbers of a thread on their way while earlier ones are added

// Terms: the elements of x [rows, pitch] themselves. A term may have several sums, each with columns of its own.
struct MatrixElements {
  static constexpr int kSums = 1;
  const float *x;
  int64_t pitch;

  TS_DEVICE void operator()(int64_t row, int64_t column, float (&term)[kSums]) const {
    term[0] = x[row * pitch + column];
  }
};

// What is done to a sum before it is stored.
struct AsItIs {
  TS_DEVICE float operator()(float sum, int64_t) const { return sum; }
};

// Where the sums of a part go: sum j of column c to y[j] + part pitch + c.
template <int kSums>
struct SumRows {
  float *y[kSums];
  int64_t pitch;
};

template <class Term, class Finish>
TS_KERNEL(kColumnThreads, 4)
column_sums(Term term, Finish finish, int64_t rows, int64_t columns, int width, SumRows<Term::kSums> out) {
  constexpr int kSums = Term::kSums, kRowsAhead = kColumnAhead / kSums;
  SharedMemory shared;
  TS_SHARED(float, sums, kSums *kColumnThreads);
  const int thread = static_cast<int>(threadIdx.x), step = kColumnThreads / width;
  const int64_t across = ceil_div<int64_t>(columns, width), part = blockIdx.x / across;
  const int64_t column = blockIdx.x % across * width + thread % width;
  const bool inside = TS_GUARD(1, column < columns);
  const int64_t end = (part + 1) * kColumnPart < rows ? (part + 1) * kColumnPart : rows;

  float sum[kSums] = {};
  for (int64_t row = part * kColumnPart + thread / width; row < end; row += kRowsAhead * step) {
    float ahead[kRowsAhead][kSums] = {};
    TS_UNROLL
    for (int i = 0; i < kRowsAhead; i++)
      if (inside && TS_GUARD(2, row + i * step < end)) term(row + i * step, column, ahead[i]);
    TS_UNROLL
    for (int i = 0; i < kRowsAhead; i++) {
      TS_UNROLL
      for (int j = 0; j < kSums; j++) sum[j] += ahead[i][j];
    }
  }
  TS_UNROLL
  for (int j = 0; j < kSums; j++) sums[j * kColumnThreads + thread] = sum[j];
  for (int half = kColumnThreads / 2; half >= width; half /= 2) {
    TS_SYNC(3);
    if (thread >= half) continue;
    TS_UNROLL
    for (int j = 0; j < kSums; j++) sums[j * kColumnThreads + thread] += sums[j * kColumnThreads + thread + half];
  }
  if (thread >= width || !inside) return;
  TS_UNROLL
  for (int j = 0; j < kSums; j++)
    out.y[j][part * out.pitch + column] = finish(sums[j * kColumnThreads + thread], column);
}

}  // namespace tessera::cuda
