#include "backend/ops.h"
#include "backend/stream.h"
#include "kernels/gate.cuh"

namespace tessera::cuda {

ts_status gate_forward(void *stream, const float *x, const float *class_bias, const int32_t *classes,
                       int64_t class_count, int64_t class_rows, int64_t rows, int64_t channels, float *gates,
                       float *y) {
  Stream *s = Stream::of(stream);
  FaultSlot fault;
  TS_TRY(s->faults.begin(TS_FAULT_CODE_RANGE, "gate_forward", &fault));
  const unsigned grid = s->blocks(ceil_div<int64_t>(rows * channels, kGateThreads), kGateBlocks);
  return TS_LAUNCH_ON(s, "gate", gate_rows, grid, kGateThreads, 0, GateShape{class_count, class_rows, rows, channels},
                      x, class_bias, classes, gates, y, fault);
}

ts_status gate_backward(void *stream, const float *gates, const float *dy, const int32_t *classes, int64_t class_count,
                        int64_t class_rows, int64_t rows, int64_t channels, float *dx, float *dclass_bias) {
  Stream *s = Stream::of(stream);
  const GateShape shape{class_count, class_rows, rows, channels};
  if (rows > 0) {
    const unsigned grid = s->blocks(ceil_div<int64_t>(rows * channels, kGateThreads), kGateBlocks);
    TS_TRY(TS_LAUNCH_ON(s, "gate", gate_gradient, grid, kGateThreads, 0, shape, gates, dy, dx));
  }
  if (!classes || class_count == 0) return TS_OK;
  FaultSlot fault;
  TS_TRY(s->faults.begin(TS_FAULT_CODE_RANGE, "gate_backward", &fault));
  const int64_t sums = class_count * 2 * channels;
  return TS_LAUNCH_ON(s, "gate", class_sums, static_cast<unsigned>(ceil_div<int64_t>(sums, kGateThreads)), kGateThreads,
                      0, shape, dx, classes, dclass_bias, fault);
}

}  // namespace tessera::cuda
