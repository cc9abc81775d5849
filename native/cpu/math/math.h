// Elementwise ops, reductions, losses, Adam and random numbers of the CPU backend. Signatures are those of ts_backend.
#pragma once

#include "core/backend.h"

namespace tessera::cpu {

ts_status fill(void *stream, void *y, int32_t dtype, int64_t count, double value);
ts_status random_uniform(void *stream, const ts_random_params *params, float *y, int64_t count);
ts_status unary(void *stream, int32_t op, const float *x, float *y, int64_t count);
ts_status unary_backward(void *stream, int32_t op, const float *x, const float *y, const float *dy, float *dx,
                         int64_t count);
ts_status binary(void *stream, int32_t op, const float *a, const float *b, float *y, int64_t count);
ts_status axpby(void *stream, float alpha, const float *x, float beta, float *y, int64_t count);
ts_status bias(void *stream, int32_t activation, const float *x, const float *bias, float *y, int64_t rows,
               int64_t channels);
ts_status sum(void *stream, const float *x, int64_t count, double *sum);
ts_status loss(void *stream, int32_t kind, double grad_scale, const float *prediction, const float *target,
               int64_t count, double *loss, float *grad);
ts_status softmax_cross_entropy(void *stream, double grad_scale, const float *logits, const int32_t *targets,
                                int64_t rows, int64_t k, double *loss, float *losses, float *grad);
ts_status layer_norm_forward(void *stream, float epsilon, const float *x, const float *gamma, const float *beta,
                             int64_t rows, int64_t channels, float *y, float *mean, float *rstd);
ts_status layer_norm_backward(void *stream, const float *x, const float *gamma, const float *mean, const float *rstd,
                              const float *dy, int64_t rows, int64_t channels, float *dx, float *dgamma, float *dbeta);
ts_status embedding(void *stream, const float *table, int64_t k, int64_t c, const int32_t *codes, int64_t n,
                    float *out);
ts_status dropout(void *stream, const ts_dropout_params *params, const float *x, const float *residual, float *y,
                  int64_t count);
ts_status clip_gradients(void *stream, double max_norm, uint32_t count, const ts_clip_slot *slots, double *norm);
ts_status adam_step(void *stream, const ts_adam_factors *factors, uint32_t count, const ts_adam_slot *slots);

}  // namespace tessera::cpu
