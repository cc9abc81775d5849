#include "cpu/math/reduce.h"

#include "cpu/math/math.h"

namespace tessera::cpu {

ts_status sum(void *stream, const float *x, int64_t count, double *sum) {
  bool ok = sum_blocks(static_cast<Stream *>(stream), count, sum, [x](int64_t begin, int64_t end) {
    double s = 0.0;
    for (int64_t i = begin; i < end; i++) s += static_cast<double>(x[i]);
    return s;
  });
  return ok ? TS_OK : TS_OUT_OF_MEMORY;
}

}  // namespace tessera::cpu
