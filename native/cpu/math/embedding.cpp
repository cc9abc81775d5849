// Rows of a table by code: memory copies.
#include <cstring>

#include "cpu/math/math.h"
#include "cpu/math/parallel.h"
#include "cpu/vq/lowest.h"

namespace tessera::cpu {

ts_status embedding(void *stream, const float *table, int64_t k, int64_t c, const int32_t *codes, int64_t n,
                    float *out) {
  auto *s = static_cast<Stream *>(stream);
  const auto bytes = static_cast<size_t>(c) * sizeof(float);
  vq::Lowest fault;
  for_range(s, n * c, c, [&](int64_t begin, int64_t end) {
    for (int64_t i = begin / c; i < end / c; i++) {
      if (codes[i] >= 0 && codes[i] < k) {
        std::memcpy(out + i * c, table + codes[i] * c, bytes);
      } else {
        std::memset(out + i * c, 0, bytes);
        fault.offer(i);
      }
    }
  });
  return fault.any() ? host->fault(s->report, TS_FAULT_CODE_RANGE, fault.value(), "embedding") : TS_OK;
}

}  // namespace tessera::cpu
