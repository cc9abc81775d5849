// Ops of priors over codes. Signatures are those of ts_backend.
#pragma once

#include "core/backend.h"

namespace tessera::cpu {

ts_status code_conv2d_forward(void *stream, const ts_masked_conv_shape *shape, const int32_t *codes, const float *w,
                              const float *bias, float *y);
ts_status code_conv2d_backward_weights(void *stream, const ts_masked_conv_shape *shape, const int32_t *codes,
                                       const float *dy, float *dw, float *dbias);
ts_status code_conv2d_at(void *stream, const ts_masked_conv_shape *shape, const int32_t *codes, const float *w,
                         const float *bias, float *y);
ts_status conv2d_at(void *stream, const ts_masked_conv_shape *shape, const float *x, const float *w, const float *bias,
                    float *y);
ts_status gate_forward(void *stream, const float *x, const float *class_bias, const int32_t *classes,
                       int64_t class_count, int64_t class_rows, int64_t rows, int64_t channels, float *gates, float *y);
ts_status gate_backward(void *stream, const float *gates, const float *dy, const int32_t *classes, int64_t class_count,
                        int64_t class_rows, int64_t rows, int64_t channels, float *dx, float *dclass_bias);
ts_status token_ids(void *stream, int64_t code_count, int64_t class_count, const int32_t *codes, const int32_t *classes,
                    int64_t batch, int64_t positions, int32_t *ids);
ts_status sample_codes(void *stream, const ts_sample_params *params, const float *logits, int64_t rows, int64_t k,
                       int32_t *codes);

}  // namespace tessera::cpu
