// Sums in float64 in one fixed order, whatever the number of threads.
#pragma once

#include <algorithm>

#include "cpu/math/parallel.h"

namespace tessera::cpu {

constexpr int64_t kSumBlock = 1024;

// Adds block(begin, end), the sum over a block of 1024 elements, of all blocks of [0, count) in ascending order. The
// blocks' sums lie in the stream's scratch meanwhile. Returns false if that memory cannot be had. `weight` is how many
// floats an element stands for, when it is decided whether threads are worth it.
template <class Block>
bool sum_blocks(Stream *stream, int64_t count, double *total, int64_t weight, const Block &block) {
  int64_t blocks = (count + kSumBlock - 1) / kSumBlock;
  auto *partial = static_cast<double *>(stream->scratch.reserve(static_cast<size_t>(blocks) * sizeof(double) + 1));
  if (!partial) {
    host->fail(stream->report, TS_OUT_OF_MEMORY, "no memory for the partial sums of %lld elements",
               static_cast<long long>(count));
    return false;
  }
  for_range(stream, count * weight, kSumBlock * weight, [&](int64_t begin, int64_t end) {
    for (int64_t i = begin / weight; i < end / weight; i += kSumBlock)
      partial[i / kSumBlock] = block(i, std::min(i + kSumBlock, end / weight));
  });
  double sum = 0.0;
  for (int64_t i = 0; i < blocks; i++) sum += partial[i];
  *total = sum;
  return true;
}

template <class Block>
bool sum_blocks(Stream *stream, int64_t count, double *total, const Block &block) {
  return sum_blocks(stream, count, total, 1, block);
}

}  // namespace tessera::cpu
