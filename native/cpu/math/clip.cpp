// Clipping by the global norm: one pass over the gradients for the sum of squares, and one more if they are scaled.
#include <cmath>

#include "cpu/math/math.h"
#include "cpu/math/reduce.h"

namespace tessera::cpu {
namespace {

// In the one order: a chain that the processor's latency bounds, 4 cycles an element.
double squares(const float *g, int64_t begin, int64_t end) {
  double sum = 0.0;
  for (int64_t i = begin; i < end; i++) {
    const auto value = static_cast<double>(g[i]);
    sum += value * value;
  }
  return sum;
}

TS_CLONES void scale_range(float *g, int64_t n, float factor) {
  for (int64_t i = 0; i < n; i++) g[i] *= factor;
}

}  // namespace

ts_status clip_gradients(void *stream, double max_norm, uint32_t count, const ts_clip_slot *slots, double *norm) {
  auto *s = static_cast<Stream *>(stream);
  int64_t blocks = 0;
  for (uint32_t i = 0; i < count; i++) blocks += (slots[i].size + kSumBlock - 1) / kSumBlock;
  auto *sums = static_cast<double *>(s->scratch.reserve(static_cast<size_t>(blocks) * sizeof(double) + 1));
  if (!sums) return host->fail(s->report, TS_OUT_OF_MEMORY, "no memory for the partial sums of %u gradients", count);
  double *next = sums;
  for (uint32_t i = 0; i < count; i++) {
    const ts_clip_slot &slot = slots[i];
    for_range(s, slot.size, kSumBlock, [&](int64_t begin, int64_t end) {
      for (int64_t first = begin; first < end; first += kSumBlock)
        next[first / kSumBlock] = squares(slot.gradient, first, std::min(first + kSumBlock, end));
    });
    next += (slot.size + kSumBlock - 1) / kSumBlock;
  }
  double total = 0.0;
  for (int64_t i = 0; i < blocks; i++) total += sums[i];
  *norm = std::sqrt(total);
  if (!(*norm > max_norm) || !std::isfinite(*norm)) return TS_OK;
  const auto factor = static_cast<float>(max_norm / *norm);
  for (uint32_t i = 0; i < count; i++)
    for_range(s, slots[i].size, 16,
              [&](int64_t begin, int64_t end) { scale_range(slots[i].gradient + begin, end - begin, factor); });
  return TS_OK;
}

}  // namespace tessera::cpu
