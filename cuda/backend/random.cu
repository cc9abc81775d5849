#include "backend/ops.h"
#include "backend/stream.h"
#include "kernels/random.cuh"

namespace tessera::cuda {

ts_status random_uniform(void *stream, const ts_random_params *params, float *y, int64_t count) {
  Stream *s = Stream::of(stream);
  const PhiloxKey key = {static_cast<uint32_t>(params->seed), static_cast<uint32_t>(params->seed >> 32), params->stream,
                         static_cast<uint32_t>(params->step), static_cast<uint32_t>(params->step >> 32)};
  unsigned grid = s->blocks(ceil_div<int64_t>(count, 4 * kRandomThreads), 6);
  return TS_LAUNCH_ON(s, "random", fill_uniform, grid, kRandomThreads, 0, y, key, params->low,
                      params->high - params->low, count);
}

}  // namespace tessera::cuda
