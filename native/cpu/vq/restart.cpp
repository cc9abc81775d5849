// vq_restart: codes that are hardly chosen any more begin again at rows of the batch.
#include <cstring>

#include "core/float_mode.h"
#include "cpu/math/philox.h"
#include "cpu/vq/vq.h"

namespace tessera::cpu {
namespace {

constexpr uint32_t kRandomStream = 0x52535452;  // tessera.h

}  // namespace

ts_status vq_restart(void *, const ts_restart_factors *factors, int64_t k, int64_t d, const float *x, int64_t n,
                     float *hidden_counts, float *hidden_sums, const float *old_codes, float *new_codes,
                     int32_t *restarted) {
  const auto step0 = static_cast<uint32_t>(factors->step), step1 = static_cast<uint32_t>(factors->step >> 32);
  const float count = factors->fresh_count;
  int32_t total = 0;
  FloatMode mode;
  for (int64_t i = 0; i < k; i++) {
    bool dead = static_cast<double>(hidden_counts[i]) * factors->debias < factors->threshold;
    const float *code = old_codes + i * d;
    if (dead) {
      uint32_t r = philox({{static_cast<uint32_t>(i), kRandomStream, step0, step1}}, factors->seed).word[0];
      // n < 2^32 rows are reached alike; more than that never lie in one batch.
      code = x + static_cast<int64_t>((uint64_t{r} * static_cast<uint64_t>(n)) >> 32) * d;
      hidden_counts[i] = count;
      for (int64_t j = 0; j < d; j++) hidden_sums[i * d + j] = code[j] * count;
      total++;
    }
    std::memcpy(new_codes + i * d, code, static_cast<size_t>(d) * sizeof(float));
  }
  *restarted = total;
  return TS_OK;
}

}  // namespace tessera::cpu
