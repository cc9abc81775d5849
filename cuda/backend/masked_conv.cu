#include "backend/ops.h"
#include "backend/stream.h"
#include "kernels/masked_conv.cuh"

namespace tessera::cuda {
namespace {

ts_status code_sums(Stream *s, const char *op, const ts_masked_conv_shape &shape, CodeLayout layout, bool one_position,
                    const int32_t *codes, const float *w, const float *bias, float *y) {
  const int64_t count = shape.batch * (one_position ? 1 : shape.height * shape.width) * shape.out_c;
  if (count == 0) return TS_OK;
  FaultSlot fault;
  TS_TRY(s->faults.begin(TS_FAULT_CODE_RANGE, op, &fault));
  const unsigned grid = s->blocks(ceil_div<int64_t>(count, kMaskedThreads), kCodeConvBlocks);
  return TS_LAUNCH_ON(s, "code_conv", code_conv, grid, kMaskedThreads, 0, shape, layout, one_position, codes, w, bias,
                      y, count, fault);
}

}  // namespace

ts_status code_conv2d_forward(void *stream, const ts_masked_conv_shape *shape, const int32_t *codes, const float *w,
                              const float *bias, float *y) {
  return code_sums(Stream::of(stream), "code_conv2d_forward", *shape, {1, shape->height * shape->width}, false, codes,
                   w, bias, y);
}

ts_status code_conv2d_at(void *stream, const ts_masked_conv_shape *shape, const int32_t *codes, const float *w,
                         const float *bias, float *y) {
  return code_sums(Stream::of(stream), "code_conv2d_at", *shape, {shape->batch, 1}, true, codes, w, bias, y);
}

ts_status code_conv2d_backward_weights(void *stream, const ts_masked_conv_shape *shape, const int32_t *codes,
                                       const float *dy, float *dw, float *dbias) {
  Stream *s = Stream::of(stream);
  FaultSlot fault;
  TS_TRY(s->faults.begin(TS_FAULT_CODE_RANGE, "code_conv2d_backward_weights", &fault));
  TS_TRY(TS_LAUNCH_ON(s, "code_conv", code_gradient, static_cast<unsigned>(shape->taps * shape->in_c),
                      kCodeGradientThreads, 0, *shape, codes, dy, dw, fault));
  if (!dbias) return TS_OK;
  const int64_t rows = shape->batch * shape->height * shape->width;
  return TS_LAUNCH_ON(s, "code_conv", bias_gradient,
                      static_cast<unsigned>(ceil_div<int64_t>(shape->out_c, kMaskedThreads)), kMaskedThreads, 0, dy,
                      rows, shape->out_c, dbias);
}

ts_status conv2d_at(void *stream, const ts_masked_conv_shape *shape, const float *x, const float *w, const float *bias,
                    float *y) {
  Stream *s = Stream::of(stream);
  const int64_t count = shape->batch * shape->out_c;
  if (count == 0) return TS_OK;
  const unsigned grid = s->blocks(ceil_div<int64_t>(count, kMaskedThreads), kMaskedBlocks);
  return TS_LAUNCH_ON(s, "conv_at", conv_at, grid, kMaskedThreads, 0, *shape, x, w, bias, y, count);
}

}  // namespace tessera::cuda
