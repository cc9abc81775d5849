// The ops that the backend has so far. Signatures are those of ts_backend.
#pragma once

#include "core/backend.h"

namespace tessera::cuda {

// fill.cu, random.cu, elementwise.cu, reduce.cu, loss.cu, adam.cu
ts_status fill(void *stream, void *y, int32_t dtype, int64_t count, double value);
ts_status random_uniform(void *stream, const ts_random_params *params, float *y, int64_t count);
ts_status unary(void *stream, int32_t op, const float *x, float *y, int64_t count);
ts_status unary_backward(void *stream, int32_t op, const float *x, const float *y, const float *dy, float *dx,
                         int64_t count);
ts_status binary(void *stream, int32_t op, const float *a, const float *b, float *y, int64_t count);
ts_status axpby(void *stream, float alpha, const float *x, float beta, float *y, int64_t count);
ts_status bias(void *stream, int32_t activation, const float *x, const float *bias, float *y, int64_t rows,
               int64_t channels);
ts_status vq_backward(void *stream, float scale, const float *x, const float *quantized, const float *grad_quantized,
                      float *grad_x, int64_t count);
ts_status sum(void *stream, const float *x, int64_t count, double *sum);
ts_status loss(void *stream, int32_t kind, double grad_scale, const float *prediction, const float *target,
               int64_t count, double *loss, float *grad);
ts_status adam_step(void *stream, const ts_adam_factors *factors, uint32_t count, const ts_adam_slot *slots);

// matmul.cu, conv.cu, conv_weights.cu
ts_status matmul(void *stream, const ts_matmul_shape *shape, const float *a, const float *b, const float *bias,
                 float *c);
ts_status conv2d_forward(void *stream, const ts_conv_shape *shape, const float *x, const float *w, const float *bias,
                         float *y);
ts_status conv2d_backward_data(void *stream, const ts_conv_shape *shape, const float *dy, const float *w, float *dx);
ts_status conv2d_backward_weights(void *stream, const ts_conv_shape *shape, const float *x, const float *dy, float *dw,
                                  float *dbias);
ts_status conv_transpose2d_forward(void *stream, const ts_conv_shape *shape, const float *x, const float *w,
                                   const float *bias, float *y);
ts_status conv_transpose2d_backward_data(void *stream, const ts_conv_shape *shape, const float *dy, const float *w,
                                         float *dx);
ts_status conv_transpose2d_backward_weights(void *stream, const ts_conv_shape *shape, const float *x, const float *dy,
                                            float *dw, float *dbias);

// softmax.cu, layer_norm.cu, restart.cu
ts_status softmax_cross_entropy(void *stream, double grad_scale, const float *logits, const int32_t *targets,
                                int64_t rows, int64_t k, double *loss, float *losses, float *grad);
ts_status layer_norm_forward(void *stream, float epsilon, const float *x, const float *gamma, const float *beta,
                             int64_t rows, int64_t channels, float *y, float *mean, float *rstd);
ts_status layer_norm_backward(void *stream, const float *x, const float *gamma, const float *mean, const float *rstd,
                              const float *dy, int64_t rows, int64_t channels, float *dx, float *dgamma, float *dbeta);
ts_status vq_restart(void *stream, const ts_restart_factors *factors, int64_t k, int64_t d, const float *x, int64_t n,
                     float *hidden_counts, float *hidden_sums, const float *old_codes, float *new_codes,
                     int32_t *restarted);

// attention.cu, dropout.cu, clip.cu
ts_status attention_forward(void *stream, const ts_attention_shape *shape, const float *qkv, float *y, float *lse);
ts_status attention_backward(void *stream, const ts_attention_shape *shape, const float *qkv, const float *y,
                             const float *lse, const float *dy, float *dqkv);
ts_status attention_step(void *stream, const ts_attention_shape *shape, int64_t t, const float *qkv, float *cache,
                         float *y);
ts_status dropout(void *stream, const ts_dropout_params *params, const float *x, const float *residual, float *y,
                  int64_t count);
ts_status clip_gradients(void *stream, double max_norm, uint32_t count, const ts_clip_slot *slots, double *norm);

// codebook.cu
ts_status codebook_alloc(void *device, int64_t k, int64_t d, ts_report *report, void **codebook);
void codebook_free(void *codebook);
float *codebook_codes(const void *codebook);
uint64_t codebook_bytes(const void *codebook);
ts_status codebook_pack(void *stream, void *codebook, const char *op);
void codebook_begin_read(void *stream, const void *codebook);
void codebook_end_read(void *stream, const void *codebook);
void codebook_begin_write(void *stream, void *codebook);

// search.cu, quantize.cu, gather.cu, scatter_update.cu, ema.cu
ts_status vq_assign(void *stream, const void *codebook, const float *x, int64_t n, int32_t *codes);
ts_status vq_quantize(void *stream, const void *codebook, const float *x, int64_t n, int32_t *codes, float *quantized,
                      double *squared_error, int32_t *counts, float *sums);
ts_status vq_statistics(void *stream, int32_t reset, ts_vq_stats *stats);
ts_status vq_gather(void *stream, const void *codebook, const int32_t *codes, int64_t n, float *out);
ts_status embedding(void *stream, const float *table, int64_t k, int64_t c, const int32_t *codes, int64_t n,
                    float *out);
ts_status vq_codebook_grad(void *stream, const void *codebook, double scale, const int32_t *counts, const float *sums,
                           float *grad);
ts_status vq_scatter(void *stream, const float *x, const int32_t *codes, int64_t n, int64_t k, int64_t d,
                     int32_t *counts, float *sums);
ts_status vq_ema(void *stream, const ts_ema_factors *factors, int64_t k, int64_t d, const int32_t *counts,
                 const float *sums, float *hidden_counts, float *hidden_sums, const float *old_codes, float *new_codes);

// masked_conv.cu, gate.cu, token_ids.cu, sample_codes.cu
ts_status token_ids(void *stream, int64_t code_count, int64_t class_count, const int32_t *codes, const int32_t *classes,
                    int64_t batch, int64_t positions, int32_t *ids);
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
ts_status sample_codes(void *stream, const ts_sample_params *params, const float *logits, int64_t rows, int64_t k,
                       int32_t *codes);

}  // namespace tessera::cuda
