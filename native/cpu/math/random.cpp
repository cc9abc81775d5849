// Random numbers: each element is a function of seed, stream, step and its own index.
#include <cmath>

#include "cpu/math/math.h"
#include "cpu/math/parallel.h"
#include "cpu/math/philox.h"

namespace tessera::cpu {

ts_status random_uniform(void *stream, const ts_random_params *params, float *y, int64_t count) {
  const uint64_t seed = params->seed;
  const auto step0 = static_cast<uint32_t>(params->step), step1 = static_cast<uint32_t>(params->step >> 32);
  const uint32_t substream = params->stream;
  const float low = params->low, range = params->high - params->low;
  for_range(static_cast<Stream *>(stream), count, 4, [=](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; i += 4) {
      Words words = philox({{static_cast<uint32_t>(i / 4), substream, step0, step1}}, seed);
      for (int64_t j = 0; j < 4 && i + j < end; j++)
        y[i + j] = std::fma(static_cast<float>(words.word[j] >> 8) * 0x1p-24f, range, low);
    }
  });
  return TS_OK;
}

}  // namespace tessera::cpu
