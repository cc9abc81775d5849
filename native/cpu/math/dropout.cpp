// Dropout with a mask that is computed where it is used: 8 to 12 bytes an element and a quarter of a Philox block.
#include <cmath>

#include "cpu/math/math.h"
#include "cpu/math/parallel.h"
#include "cpu/math/philox.h"

namespace tessera::cpu {
namespace {

constexpr int64_t kBlocks = 16;  // of Philox, side by side, which is what the compiler can put into vectors

struct Mask {
  uint64_t seed;
  uint32_t substream, step0, step1;
  uint32_t threshold;  // of a word's upper 24 bits: below it the element is dropped
  float scale;
};

// y = residual + keep x scale for at most 4 kBlocks elements from number i (a multiple of 4) on.
TS_CLONES void drop(const Mask &mask, const float *x, const float *residual, float *y, int64_t i, int64_t n) {
  float factor[4 * kBlocks];
  for (int64_t b = 0; b < kBlocks; b++) {
    const Words words = philox({{static_cast<uint32_t>(i / 4 + b), mask.substream, mask.step0, mask.step1}}, mask.seed);
    for (int64_t j = 0; j < 4; j++) factor[4 * b + j] = words.word[j] >> 8 < mask.threshold ? 0.0f : mask.scale;
  }
  for (int64_t j = 0; j < n; j++) {
    const float kept = factor[j] == 0.0f ? 0.0f : x[i + j] * factor[j];
    y[i + j] = residual ? residual[i + j] + kept : kept;
  }
}

}  // namespace

ts_status dropout(void *stream, const ts_dropout_params *params, const float *x, const float *residual, float *y,
                  int64_t count) {
  // A word's number u 2^-24 is below the probability exactly where u is below probability 2^24, rounded up.
  const Mask mask = {params->seed,
                     params->stream,
                     static_cast<uint32_t>(params->step),
                     static_cast<uint32_t>(params->step >> 32),
                     static_cast<uint32_t>(std::ceil(params->probability * 0x1p24)),
                     static_cast<float>(1.0 / (1.0 - params->probability))};
  for_range(static_cast<Stream *>(stream), count, 4 * kBlocks, [&](int64_t begin, int64_t end) {
    if (mask.threshold == 0) {
      for (int64_t i = begin; i < end; i++) y[i] = residual ? residual[i] + x[i] : x[i];
      return;
    }
    for (int64_t i = begin; i < end; i += 4 * kBlocks) drop(mask, x, residual, y, i, std::min(4 * kBlocks, end - i));
  });
  return TS_OK;
}

}  // namespace tessera::cpu
