// The kernel of all matrix products, plain ones and convolutions: blocks of the result from tiles in shared memory,
// with two stages, so that the copy of the next step's tiles runs below this step's arithmetic.
//
//   tile       128 x 128 (256 threads of 8 x 8), 128 x 64 and 64 x 128 (128 threads of 8 x 8), 128 x 32 and 32 x 128
//              (128 threads of 8 x 4) for results with few columns or rows; 16 deep
//   registers  at most 128: two blocks of 256 threads or four of 128 on a multiprocessor
//   shared     33.8 KB (128 x 128), 25.6 KB (128 x 64), 21.5 KB (128 x 32); convolutions 2 KB more
//   work       2 M N K operations; 4 K (M N / kN + M N / kM) bytes copied to shared memory, of which a 128 x 128 tile
//              makes 32 operations a byte: bound by arithmetic (an H100 has 67 TFLOP/s of fp32)
//   order      k ascending in one chain an element; where k is split (matrix products and gradients by weights), the
//              parts' sums are added by column_sums.cuh. It depends on shapes alone
#pragma once

#include "kernels/product_sums.cuh"
#include "kernels/product_tf32.cuh"

namespace tessera::cuda {

// What is done to an element of the product before it is stored.
struct ProductFinish {
  const float *bias;  // of the columns, or null
  bool relu, accumulate;

  TS_DEVICE float operator()(float sum, const float *y, int64_t column) const {
    if (bias) sum += bias[column];
    if (accumulate) sum += *y;
    return relu && sum < 0.0f ? 0.0f : sum;  // a NaN passes
  }
};

// A row of the result from the block's first column on.
struct ResultRow {
  float *y;  // null past the last row
  int columns, first_column;
  bool quads;  // 16-byte stores are possible
  ProductFinish finish;

  // kCount neighbours: four, or two that never make a 16-byte store.
  template <int kCount>
  TS_DEVICE void store(int column, const float *values) const {
    if (!y) return;
    float v[4];
    TS_UNROLL
    for (int j = 0; j < kCount; j++) {
      if (!TS_GUARD(1, column + j < columns)) return;
      v[j] = finish(values[j], y + column + j, first_column + column + j);
      if (kCount < 4 || !quads) y[column + j] = v[j];
    }
    if (kCount == 4 && quads) store16(y + column, make_float4(v[0], v[1], v[2], v[3]));
  }
};

// Sums is the arithmetic, Fp32Sums or Tf32Sums. Product is a kernel's parameter. Product::Block is what one block does
// of it: its operands and where the result goes.
template <class Sums, class Product>
TS_KERNEL(Sums::Shape::kThreads, Sums::Shape::kBlocks)
multiply(const Product product) {
  using Shape = typename Sums::Shape;
  constexpr int kLeft = kDepth * Sums::kPitchM, kRight = kDepth * Sums::kPitchN;
  SharedMemory shared;
  TS_SHARED(float, stages, 2 * (kLeft + kRight));
  TS_SHARED(typename Product::Table, table, Product::kTableSize);
  const typename Product::template Block<Shape> block(product, table);
  Sums sums;
  const int steps = block.steps();
  for (int step = 0; step <= steps; step++) {
    // The step before is there, for all threads; and no thread is still busy with the one before that, whose place the
    // next copy takes. In the first turn this is what the table waits for.
    TS_ASYNC_WAIT(2, 0);
    TS_SYNC(3);
    float *next = stages + step % 2 * (kLeft + kRight), *now = stages + (step + 1) % 2 * (kLeft + kRight);
    if (step < steps) {
      block.template copy_left<Sums::kPitchM>(step * kDepth, next);
      block.template copy_right<Sums::kPitchN>(step * kDepth, next + kLeft);
      async_commit();
    }
    if (step > 0) sums.add(now, now + kLeft);
  }
  sums.store(block);
}

}  // namespace tessera::cuda
