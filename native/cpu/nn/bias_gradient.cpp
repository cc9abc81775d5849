#include "cpu/nn/bias_gradient.h"

#include <algorithm>
#include <cstring>

#include "cpu/nn/parallel.h"
#include "cpu/nn/workspace.h"

namespace tessera::cpu {
namespace {

constexpr int64_t kBlockRows = 512;

// One addition chain a channel is as slow as the adder's latency, so that few channels are summed in several chains:
// row r belongs to chain r mod chains. Width of all chains together, in floats.
int64_t chains_for(int64_t channels) { return std::max<int64_t>(1, 64 / channels); }

// total += sums over rows, in chains: total [chains, channels], block likewise.
void sum_part(const float *x, int64_t rows, int64_t channels, int64_t chains, float *total, float *block) {
  int64_t width = chains * channels;
  std::fill_n(total, width, 0.0f);
  for (int64_t begin = 0; begin < rows; begin += kBlockRows * chains) {
    int64_t end = std::min(rows, begin + kBlockRows * chains);
    std::fill_n(block, width, 0.0f);
    int64_t r = begin;
    for (; r + chains <= end; r += chains)
      for (int64_t i = 0; i < width; i++) block[i] += x[r * channels + i];
    for (int64_t i = 0; i < (end - r) * channels; i++) block[i] += x[r * channels + i];
    for (int64_t i = 0; i < width; i++) total[i] += block[i];
  }
}

size_t part_floats(int64_t channels) { return round_up_64(chains_for(channels) * channels * sizeof(float)) / 4; }

}  // namespace

size_t column_sums_workspace(int64_t channels, int threads) {
  return 2 * part_floats(channels) * sizeof(float) * static_cast<size_t>(threads);
}

void column_sums(const float *x, int64_t rows, int64_t channels, int threads, float *sums, void *workspace) {
  int64_t chains = chains_for(channels), stride = static_cast<int64_t>(part_floats(channels));
  auto *parts = static_cast<float *>(workspace);
  parallel(threads, [&](int t) {
    int64_t begin = rows * t / threads, end = rows * (t + 1) / threads;
    float *total = parts + 2 * t * stride;
    sum_part(x + begin * channels, end - begin, channels, chains, total, total + stride);
  });
  std::fill_n(sums, channels, 0.0f);
  for (int t = 0; t < threads; t++)
    for (int64_t chain = 0; chain < chains; chain++)
      for (int64_t c = 0; c < channels; c++) sums[c] += parts[2 * t * stride + chain * channels + c];
}

}  // namespace tessera::cpu
