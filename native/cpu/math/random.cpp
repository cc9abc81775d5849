// Philox4x32-10 (Salmon, Moraes, Dror and Shaw, SC 2011): a counter goes in, four random words come out, so every
// element can be computed alone, on any device, in any order.
#include <cmath>

#include "cpu/math/math.h"
#include "cpu/math/parallel.h"

namespace tessera::cpu {
namespace {

struct Words {
  uint32_t word[4];
};

Words philox(Words counter, uint32_t key0, uint32_t key1) {
  for (int round = 0; round < 10; round++) {
    uint64_t p0 = uint64_t{0xD2511F53} * counter.word[0];
    uint64_t p1 = uint64_t{0xCD9E8D57} * counter.word[2];
    counter = {{static_cast<uint32_t>(p1 >> 32) ^ counter.word[1] ^ key0, static_cast<uint32_t>(p1),
                static_cast<uint32_t>(p0 >> 32) ^ counter.word[3] ^ key1, static_cast<uint32_t>(p0)}};
    key0 += 0x9E3779B9;
    key1 += 0xBB67AE85;
  }
  return counter;
}

}  // namespace

ts_status random_uniform(void *stream, const ts_random_params *params, float *y, int64_t count) {
  const auto key0 = static_cast<uint32_t>(params->seed), key1 = static_cast<uint32_t>(params->seed >> 32);
  const auto step0 = static_cast<uint32_t>(params->step), step1 = static_cast<uint32_t>(params->step >> 32);
  const uint32_t substream = params->stream;
  const float low = params->low, range = params->high - params->low;
  for_range(static_cast<Stream *>(stream), count, 4, [=](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; i += 4) {
      Words words = philox({{static_cast<uint32_t>(i / 4), substream, step0, step1}}, key0, key1);
      for (int64_t j = 0; j < 4 && i + j < end; j++)
        y[i + j] = std::fma(static_cast<float>(words.word[j] >> 8) * 0x1p-24f, range, low);
    }
  });
  return TS_OK;
}

}  // namespace tessera::cpu
