#include "backend/ops.h"
#include "backend/stream.h"
#include "kernels/dropout.cuh"

namespace tessera::cuda {

ts_status dropout(void *stream, const ts_dropout_params *params, const float *x, const float *residual, float *y,
                  int64_t count) {
  Stream *s = Stream::of(stream);
  Dropout d{};
  d.key = {static_cast<uint32_t>(params->seed), static_cast<uint32_t>(params->seed >> 32), params->stream,
           static_cast<uint32_t>(params->step), static_cast<uint32_t>(params->step >> 32)};
  // A word's number u 2^-24 is below the probability exactly where u is below probability 2^24, rounded up.
  d.threshold = static_cast<uint32_t>(ceil(params->probability * 0x1p24));
  d.scale = static_cast<float>(1.0 / (1.0 - params->probability));
  d.x = x;
  d.residual = residual;
  d.y = y;
  d.count = count;
  const unsigned grid = s->blocks(ceil_div<int64_t>(count, 4 * kRandomThreads), 6);
  return TS_LAUNCH_ON(s, "dropout", drop_elements, grid, kRandomThreads, 0, d);
}

}  // namespace tessera::cuda
