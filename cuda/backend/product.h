// Launches of kernels/product.cuh.
#pragma once

#include "backend/stream.h"
#include "kernels/product.cuh"

namespace tessera::cuda {

// Where k is split, there are about this many blocks. A constant and not the GPU's size, so that every GPU adds in the
// same order: four blocks for each of an H100's 132 multiprocessors.
constexpr int64_t kSplitBlocks = 528;
constexpr int64_t kSplitAtLeast = 256;  // k of a part

// The k of each part: a multiple of kDepth.
inline int64_t split(int64_t k, int64_t tiles) {
  int64_t parts = ceil_div(kSplitBlocks, tiles), most = ceil_div(k, kSplitAtLeast);
  if (parts > most) parts = most;
  const int64_t part = ceil_div<int64_t>(k, parts > 1 ? parts : 1);
  return ceil_div<int64_t>(part > 0 ? part : 1, kDepth) * kDepth;
}

inline bool aligned_16(const void *address) { return reinterpret_cast<uintptr_t>(address) % 16 == 0; }

// Whether the environment variable TESSERA_TF32 is 1; asked once.
bool tf32_wanted();

template <class Sums, class Product>
ts_status launch_sums(Stream *s, const char *family, const Product &product, int64_t blocks) {
  const size_t shared = shared_bytes<float>(2 * kDepth * (Sums::kPitchM + Sums::kPitchN)) +
                        shared_bytes<typename Product::Table>(Product::kTableSize);
  return TS_LAUNCH_ON(s, family, (multiply<Sums, Product>), static_cast<unsigned>(blocks), Sums::Shape::kThreads,
                      shared, product);
}

template <class Shape, class Product>
ts_status launch_product(Stream *s, const char *family, const char *tf32_family, const Product &product,
                         int64_t blocks) {
  if (tf32_wanted()) return launch_sums<Tf32Sums<Shape>>(s, tf32_family, product, blocks);
  return launch_sums<Fp32Sums<Shape>>(s, family, product, blocks);
}

}  // namespace tessera::cuda
