// vq_ema: the moving averages of counts and sums and the codes that follow from them, as Sonnet computes them
// (snt.nets.VectorQuantizerEMA; van den Oord et al. 2017, appendix A.1). The hidden averages are fp32, as Sonnet keeps
// them; what is derived from them is float64.
#include "cpu/threads.h"
#include "cpu/vq/vq.h"

namespace tessera::cpu {

ts_status vq_ema(void *stream_, const ts_ema_factors *factors, int64_t k, int64_t d, const int32_t *counts,
                 const float *sums, float *hidden_counts, float *hidden_sums, const float *old_codes,
                 float *new_codes) {
  auto *stream = static_cast<Stream *>(stream_);
  const float rate = factors->one_minus_decay;
  const double debias = factors->debias, epsilon = factors->epsilon;
  double n = 0;  // sum of the average counts, ascending: the same for any number of threads
  {
    FloatMode mode;
    for (int64_t i = 0; i < k; i++) {
      hidden_counts[i] -= (hidden_counts[i] - static_cast<float>(counts[i])) * rate;
      n += static_cast<double>(hidden_counts[i]) * debias;
    }
  }
  constexpr int64_t kBlock = 64;
  int64_t blocks = (k + kBlock - 1) / kBlock;
  for_blocks(threads_for(stream, blocks), blocks, [&](int, int64_t block) {
    for (int64_t i = block * kBlock; i < std::min(k, (block + 1) * kBlock); i++) {
      double average = static_cast<double>(hidden_counts[i]) * debias;
      double smoothed = (average + epsilon) / (n + static_cast<double>(k) * epsilon) * n;
      double factor = debias / smoothed;
      for (int64_t j = i * d; j < (i + 1) * d; j++) {
        hidden_sums[j] -= (hidden_sums[j] - sums[j]) * rate;
        new_codes[j] = n == 0 ? old_codes[j] : static_cast<float>(static_cast<double>(hidden_sums[j]) * factor);
      }
    }
  });
  return TS_OK;
}

}  // namespace tessera::cpu
