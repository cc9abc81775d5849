#include "cpu/vq/block_sums.h"

#include <cstring>

#include "cpu/vq/carver.h"

namespace tessera::cpu::vq {
namespace {

constexpr uint32_t kTableBits = 11;  // twice the codes that a block can touch
constexpr int64_t kTable = int64_t{1} << kTableBits;
static_assert(kTable >= 2 * kScatterBlock);

}  // namespace

size_t BlockSums::bytes(int64_t rows, int64_t d) {
  Carver carve{nullptr};
  carve.take<int32_t>(kTable);
  carve.take<int32_t>(rows);
  carve.take<int32_t>(rows);
  carve.take<float>(rows * d);
  return carve.used;
}

BlockSums::BlockSums(std::byte *memory, int64_t rows, int64_t d) : d_(d), touched_(0) {
  Carver carve{memory};
  table_ = carve.take<int32_t>(kTable);
  code_ = carve.take<int32_t>(rows);
  count_ = carve.take<int32_t>(rows);
  sum_ = carve.take<float>(rows * d);
}

int32_t BlockSums::place_of(int32_t code) {
  uint32_t at = (static_cast<uint32_t>(code) * 2654435769u) >> (32 - kTableBits);  // Knuth's multiplicative hash
  for (; table_[at] != 0; at = (at + 1) % kTable)
    if (code_[table_[at] - 1] == code) return table_[at] - 1;
  code_[touched_] = code;
  count_[touched_] = 0;
  std::memset(sum_ + touched_ * d_, 0, static_cast<size_t>(d_) * sizeof(float));
  table_[at] = ++touched_;
  return touched_ - 1;
}

void BlockSums::clear() {
  std::memset(table_, 0, static_cast<size_t>(kTable) * sizeof(int32_t));
  touched_ = 0;
}

int64_t BlockSums::add(const float *x, const int32_t *codes, int64_t rows, int64_t k) {
  int64_t fault = -1;
  for (int64_t r = 0; r < rows; r++) {
    if (codes[r] < 0 || codes[r] >= k) {
      if (fault < 0) fault = r;
      continue;
    }
    int32_t place = place_of(codes[r]);
    count_[place]++;
    float *sum = sum_ + place * d_;
    const float *row = x + r * d_;
    for (int64_t i = 0; i < d_; i++) sum[i] += row[i];
  }
  return fault;
}

void BlockSums::merge(int32_t *counts, float *sums) const {
  for (int32_t place = 0; place < touched_; place++) {
    counts[code_[place]] += count_[place];
    float *total = sums + int64_t{code_[place]} * d_;
    const float *sum = sum_ + place * d_;
    for (int64_t i = 0; i < d_; i++) total[i] += sum[i];
  }
}

}  // namespace tessera::cpu::vq
