// Counts and sums per code, added in the one order of tessera.h: rows ascending within blocks of 1,024 rows of the
// batch, then the blocks ascending. A block touches at most 1,024 codes, so its partial sums are at most as large as
// its rows; they are added to the totals when it is the block's turn.
#pragma once

#include <cstddef>
#include <cstdint>

namespace tessera::cpu::vq {

constexpr int64_t kScatterBlock = 1024;

// One thread's memory for a block, laid out in memory of the caller.
class BlockSums {
 public:
  // Bytes for blocks of up to `rows` rows of d numbers.
  static size_t bytes(int64_t rows, int64_t d);
  BlockSums(std::byte *memory, int64_t rows, int64_t d);

  // Starts a block.
  void clear();

  // Adds rows x [rows, d] by code, after those added since clear(). Codes outside 0..k-1 are skipped; returns the first
  // such row, or -1.
  int64_t add(const float *x, const int32_t *codes, int64_t rows, int64_t k);

  // Adds the block to counts [k] and sums [k, d].
  void merge(int32_t *counts, float *sums) const;

 private:
  int32_t place_of(int32_t code);

  int64_t d_;
  int32_t touched_;
  int32_t *table_;  // open addressing: place + 1 of a code, 0 if empty
  int32_t *code_;   // [rows] code at a place
  int32_t *count_;  // [rows]
  float *sum_;      // [rows, d]
};

}  // namespace tessera::cpu::vq
