// The loops of direct.h's kernels in AVX-512. Read by a file compiled for it: plain data only, no inline functions.
#pragma once

#include <cstdint>

namespace tessera::cpu::direct {

// out[p][n] = act(bias[n] + sum over segments s and k < depth of a[p step + s segment + k] w[s depth + k][n]), for
// n < columns. A product of matrices, whose left one is read where it lies in an image: the segments are the rows under
// a kernel.
struct Products {
  const float *a;
  int64_t step, segments, segment, depth;
  const float *w;     // [segments depth, width], padded with zeros
  int64_t width;      // a multiple of 16
  const float *bias;  // [width], or null
  bool relu;
  float *out;
  int64_t out_step, columns;
};
void products(const Products &shape, int64_t pixels);

// sum[b][n] += sum over images m, rows y and columns x of scalars[m scalar_image + y scalar_row + x scalar_step + b]
// vectors[m vector_image + y vector_row + x vector_step + n], for b < scalar_count <= kMaxScalars and n < width <= 16
// kMaxVectors, with not more than 24 vectors of sums in all.
constexpr int64_t kMaxScalars = 6, kMaxVectors = 6;
struct Outer {
  const float *vectors;
  int64_t vector_row, vector_step, width;
  const float *scalars;
  int64_t scalar_row, scalar_step, scalar_count;
  int64_t rows, columns;
  int64_t images = 1, vector_image = 0, scalar_image = 0;
  float *sum;
  int64_t sum_step;
};
void outer(const Outer &shape);

// target[x target_step + i target_row + j] += x's products[i n + j] for i < rows, j < n: what each pixel adds to the
// image, under its kernel. Products of one pixel are `width` apart from the next one's.
struct TapSums {
  const float *products;
  int64_t width, pixels, rows, n;
  float *target;
  int64_t target_step, target_row;
};
void add_taps(const TapSums &shape);

// y[i] = act(x[i] + bias[i]), i < n; bias may be null, y may be x.
void finish_row(const float *x, const float *bias, bool relu, int64_t n, float *y);

}  // namespace tessera::cpu::direct
