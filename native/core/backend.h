// The table of functions that a backend fills in, and what the core offers to backends.
//
// The core (native/core) has already checked every argument when it calls through this table: pointers are not null
// unless marked so, sizes do not overflow, shapes agree, data is aligned, outputs do not overlap inputs. A backend only
// computes. The idea is ggml's (ggml-backend-impl.h); the difference is that ops here are functions with plain
// arguments and not graph nodes.
//
// Everything here is plain C data, because the two sides of a plug-in may be built by different compilers.
#pragma once

#include <stdint.h>

#include "tessera.h"

#ifdef __cplusplus
extern "C" {
#endif

// Where a call's message and data fault go: one for each stream, or one for a call without a stream.
typedef struct ts_report {
  ts_error error;
  ts_fault fault;
} ts_report;

// What the core offers to a backend. A plug-in imports nothing: it is handed this table.
typedef struct ts_host {
  uint32_t abi;
  // Writes a message (printf's format) and returns `status`.
  ts_status (*fail)(ts_report *report, ts_status status, const char *format, ...) __attribute__((format(printf, 3, 4)));
  // Sets the sticky fault, if none is set, writes the message for it, and returns TS_DATA_FAULT.
  ts_status (*fault)(ts_report *report, ts_fault_kind kind, int64_t row, const char *op);
  // Counts `bytes` (negative: freed) of device memory that the backend itself holds: scratch, codebooks, caches.
  void (*account)(void *host_device, int64_t bytes);
} ts_host;

// The convolution of an op, all sizes at least 1 except batch, every product known to fit int64.
// A transposed convolution is described by the convolution whose gradient it is: `in` is its y and `out` its x.
typedef struct ts_conv_shape {
  int64_t batch;
  int64_t in_h, in_w, in_c;
  int64_t out_h, out_w, out_c;
  int64_t kernel_h, kernel_w;
  int64_t stride_h, stride_w;
  int64_t dilation_h, dilation_w;
  int64_t pad_top, pad_left, pad_bottom, pad_right;
  int64_t groups;
  int32_t activation;  // ts_activation, forward ops only
} ts_conv_shape;

typedef struct ts_matmul_shape {
  int64_t m, n, k;
  int32_t transpose_a, transpose_b, accumulate, activation;
  int32_t sequential;  // then transpose_a and accumulate are 0
} ts_matmul_shape;

// A masked convolution: see ts_masked_conv_params. All sizes at least 1 except batch. in_c is K for codes.
typedef struct ts_masked_conv_shape {
  int64_t batch, height, width, in_c, out_c;
  int64_t kernel_h, kernel_w, taps, pad_top, pad_left;
  int64_t row, column;  // the position, for ops of one
  int32_t activation;
} ts_masked_conv_shape;

// Causal attention: batch, positions, heads and head_dim are at least 1, head_dim at most 128.
typedef struct ts_attention_shape {
  int64_t batch, positions, heads, head_dim;
} ts_attention_shape;

// One gradient of a clipping.
typedef struct ts_clip_slot {
  float *gradient;
  int64_t size;
} ts_clip_slot;

// One parameter of an Adam step.
typedef struct ts_adam_slot {
  float *parameter;
  const float *gradient;
  float *m, *v;
  int64_t size;
} ts_adam_slot;

// Adam's factors that are the same for every element, computed once by the core so that all backends agree on them.
//   m <- m + (g - m) one_minus_beta1;  v <- v + (g g - v) one_minus_beta2
//   p <- p - decay p - step_size m / (sqrt(v) v_scale + epsilon)
typedef struct ts_adam_factors {
  float one_minus_beta1, one_minus_beta2, step_size, v_scale, epsilon, decay;
} ts_adam_factors;

// EMA factors, computed once by the core: see ts_vq_ema_update.
typedef struct ts_ema_factors {
  float one_minus_decay;
  double debias;  // 1 / (1 - decay^step)
  double epsilon;
} ts_ema_factors;

// A restart's numbers, computed once by the core: see ts_vq_restart.
typedef struct ts_restart_factors {
  uint64_t seed, step;
  double debias;      // 1 / (1 - decay^step)
  double threshold;   // of the average count
  float fresh_count;  // hidden count of a restarted code
} ts_restart_factors;

// A backend. `device`, `stream`, `event` and `codebook` are the backend's own objects.
typedef struct ts_backend {
  uint32_t abi;
  const char *name;

  // Number of devices here. detail (capacity bytes) gets what they are, or why there is none.
  int32_t (*device_count)(char *detail, uint64_t capacity);
  ts_status (*device_open)(int32_t ordinal, void *host_device, ts_report *report, void **device);
  void (*device_close)(void *device);
  ts_status (*device_describe)(void *device, ts_device_info *info, ts_report *report);
  ts_status (*alloc)(void *device, uint64_t bytes, void **address, ts_report *report);
  void (*free)(void *device, void *address);
  // Whether memory that another library allocated is the device's. Null in a backend that cannot tell.
  ts_status (*memory_check)(void *device, const void *address, uint64_t bytes, ts_report *report);

  // `report` lives as long as the stream and is where its ops report.
  ts_status (*stream_open)(void *device, int32_t threads, ts_report *report, void **stream);
  void (*stream_close)(void *stream);
  // A stream over a queue that another library opened, and the queue of a stream. Null in a backend without queues.
  ts_status (*stream_wrap)(void *device, uint64_t queue, ts_report *report, void **stream);
  uint64_t (*stream_queue)(void *stream);
  ts_status (*stream_reserve)(void *stream, uint64_t bytes);
  ts_status (*stream_synchronize)(void *stream);
  // vector_bits is 0 for the widest, 128, 256 or 512. Null in a backend that does not measure itself.
  ts_status (*measure_fp32_peak)(void *stream, int32_t vector_bits, double *gflops);
  ts_status (*event_open)(void *device, ts_report *report, void **event);
  void (*event_close)(void *event);
  ts_status (*event_record)(void *stream, void *event);
  ts_status (*stream_wait)(void *stream, const void *event);
  ts_status (*event_elapsed)(const void *start, const void *end, double *seconds, ts_report *report);

  ts_status (*copy_to_device)(void *stream, void *destination, const void *source, uint64_t bytes);
  ts_status (*copy_to_host)(void *stream, void *destination, const void *source, uint64_t bytes);
  ts_status (*copy)(void *stream, void *destination, const void *source, uint64_t bytes);
  ts_status (*fill)(void *stream, void *y, int32_t dtype, int64_t count, double value);
  ts_status (*random_uniform)(void *stream, const ts_random_params *params, float *y, int64_t count);

  // Storage for one version of a codebook. `codebook_codes` is where its K*D codes lie in device memory; after they
  // were written there, `codebook_pack` makes the version ready (or reports a code that is not finite).
  ts_status (*codebook_alloc)(void *device, int64_t k, int64_t d, ts_report *report, void **codebook);
  void (*codebook_free)(void *codebook);
  float *(*codebook_codes)(const void *codebook);
  uint64_t (*codebook_bytes)(const void *codebook);
  ts_status (*codebook_pack)(void *stream, void *codebook, const char *op);
  // For backends whose ops still run when they return, null in others. The core says when the work that it puts into a
  // stream begins and ends to read a version, and when it begins to overwrite one that other streams' earlier work may
  // still read. (When a version is complete, its codebook_pack knows.)
  void (*codebook_begin_read)(void *stream, const void *codebook);
  void (*codebook_end_read)(void *stream, const void *codebook);
  void (*codebook_begin_write)(void *stream, void *codebook);

  // Vector quantisation: x [n,d], codes [n].
  ts_status (*vq_assign)(void *stream, const void *codebook, const float *x, int64_t n, int32_t *codes);
  ts_status (*vq_gather)(void *stream, const void *codebook, const int32_t *codes, int64_t n, float *out);
  // quantized, squared_error, counts and sums may be null; counts and sums are so together.
  ts_status (*vq_quantize)(void *stream, const void *codebook, const float *x, int64_t n, int32_t *codes,
                           float *quantized, double *squared_error, int32_t *counts, float *sums);
  ts_status (*vq_scatter)(void *stream, const float *x, const int32_t *codes, int64_t n, int64_t k, int64_t d,
                          int32_t *counts, float *sums);
  // Updates the hidden averages and writes new_codes (may not be packed yet); old_codes are kept where n = 0.
  ts_status (*vq_ema)(void *stream, const ts_ema_factors *factors, int64_t k, int64_t d, const int32_t *counts,
                      const float *sums, float *hidden_counts, float *hidden_sums, const float *old_codes,
                      float *new_codes);
  // Copies old_codes to new_codes, but for codes that begin again.
  ts_status (*vq_restart)(void *stream, const ts_restart_factors *factors, int64_t k, int64_t d, const float *x,
                          int64_t n, float *hidden_counts, float *hidden_sums, const float *old_codes, float *new_codes,
                          int32_t *restarted);
  // grad_quantized may be null, or grad_x. scale = 2 commitment / count.
  ts_status (*vq_backward)(void *stream, float scale, const float *x, const float *quantized,
                           const float *grad_quantized, float *grad_x, int64_t count);
  ts_status (*vq_codebook_grad)(void *stream, const void *codebook, double scale, const int32_t *counts,
                                const float *sums, float *grad);
  ts_status (*vq_statistics)(void *stream, int32_t reset, ts_vq_stats *stats);

  // Layers. bias and dbias may be null. Weights are [O,KH,KW,I/groups] of the (underlying) convolution.
  ts_status (*conv2d_forward)(void *stream, const ts_conv_shape *shape, const float *x, const float *w,
                              const float *bias, float *y);
  ts_status (*conv2d_backward_data)(void *stream, const ts_conv_shape *shape, const float *dy, const float *w,
                                    float *dx);
  ts_status (*conv2d_backward_weights)(void *stream, const ts_conv_shape *shape, const float *x, const float *dy,
                                       float *dw, float *dbias);
  // shape describes the underlying convolution: x has its output's shape, y its input's, bias [in_c].
  ts_status (*conv_transpose2d_forward)(void *stream, const ts_conv_shape *shape, const float *x, const float *w,
                                        const float *bias, float *y);
  ts_status (*conv_transpose2d_backward_data)(void *stream, const ts_conv_shape *shape, const float *dy, const float *w,
                                              float *dx);
  ts_status (*conv_transpose2d_backward_weights)(void *stream, const ts_conv_shape *shape, const float *x,
                                                 const float *dy, float *dw, float *dbias);
  ts_status (*matmul)(void *stream, const ts_matmul_shape *shape, const float *a, const float *b, const float *bias,
                      float *c);

  // codes [n], table [k,c].
  ts_status (*embedding)(void *stream, const float *table, int64_t k, int64_t c, const int32_t *codes, int64_t n,
                         float *out);

  // Attention: qkv [B,T,3C], y [B,T,C], lse [B,H,T]. In a step the shape's positions are those of the cache [B,S,2C].
  ts_status (*attention_forward)(void *stream, const ts_attention_shape *shape, const float *qkv, float *y, float *lse);
  ts_status (*attention_backward)(void *stream, const ts_attention_shape *shape, const float *qkv, const float *y,
                                  const float *lse, const float *dy, float *dqkv);
  ts_status (*attention_step)(void *stream, const ts_attention_shape *shape, int64_t t, const float *qkv, float *cache,
                              float *y);

  // Elementwise, losses, optimiser.
  ts_status (*unary)(void *stream, int32_t op, const float *x, float *y, int64_t count);
  ts_status (*unary_backward)(void *stream, int32_t op, const float *x, const float *y, const float *dy, float *dx,
                              int64_t count);
  ts_status (*binary)(void *stream, int32_t op, const float *a, const float *b, float *y, int64_t count);
  ts_status (*axpby)(void *stream, float alpha, const float *x, float beta, float *y, int64_t count);
  ts_status (*bias)(void *stream, int32_t activation, const float *x, const float *bias, float *y, int64_t rows,
                    int64_t channels);
  // residual may be null; y may be x or residual.
  ts_status (*dropout)(void *stream, const ts_dropout_params *params, const float *x, const float *residual, float *y,
                       int64_t count);
  ts_status (*sum)(void *stream, const float *x, int64_t count, double *sum);
  // grad may be null, or prediction. count >= 1.
  ts_status (*loss)(void *stream, int32_t kind, double grad_scale, const float *prediction, const float *target,
                    int64_t count, double *loss, float *grad);
  // losses and grad may be null, grad may be logits. rows >= 1, k >= 1.
  ts_status (*softmax_cross_entropy)(void *stream, double grad_scale, const float *logits, const int32_t *targets,
                                     int64_t rows, int64_t k, double *loss, float *losses, float *grad);
  ts_status (*layer_norm_forward)(void *stream, float epsilon, const float *x, const float *gamma, const float *beta,
                                  int64_t rows, int64_t channels, float *y, float *mean, float *rstd);
  // dx may be dy.
  ts_status (*layer_norm_backward)(void *stream, const float *x, const float *gamma, const float *mean,
                                   const float *rstd, const float *dy, int64_t rows, int64_t channels, float *dx,
                                   float *dgamma, float *dbeta);
  ts_status (*adam_step)(void *stream, const ts_adam_factors *factors, uint32_t count, const ts_adam_slot *slots);
  // All gradients in one call; empty ones have been left out.
  ts_status (*clip_gradients)(void *stream, double max_norm, uint32_t count, const ts_clip_slot *slots, double *norm);

  // Priors over codes. bias, dbias may be null. batch may be 0.
  ts_status (*code_conv2d_forward)(void *stream, const ts_masked_conv_shape *shape, const int32_t *codes,
                                   const float *w, const float *bias, float *y);
  ts_status (*code_conv2d_backward_weights)(void *stream, const ts_masked_conv_shape *shape, const int32_t *codes,
                                            const float *dy, float *dw, float *dbias);
  ts_status (*code_conv2d_at)(void *stream, const ts_masked_conv_shape *shape, const int32_t *codes, const float *w,
                              const float *bias, float *y);
  ts_status (*conv2d_at)(void *stream, const ts_masked_conv_shape *shape, const float *x, const float *w,
                         const float *bias, float *y);
  // rows >= 1, channels = F >= 1. class_bias and classes are null together; row r has class classes[r / class_rows], of
  // `class_count`. gates may be x.
  ts_status (*gate_forward)(void *stream, const float *x, const float *class_bias, const int32_t *classes,
                            int64_t class_count, int64_t class_rows, int64_t rows, int64_t channels, float *gates,
                            float *y);
  // dx may be gates; dclass_bias is null without classes.
  ts_status (*gate_backward)(void *stream, const float *gates, const float *dy, const int32_t *classes,
                             int64_t class_count, int64_t class_rows, int64_t rows, int64_t channels, float *dx,
                             float *dclass_bias);
  // batch and positions >= 1; classes is null exactly if class_count is 0.
  ts_status (*token_ids)(void *stream, int64_t code_count, int64_t class_count, const int32_t *codes,
                         const int32_t *classes, int64_t batch, int64_t positions, int32_t *ids);
  // rows >= 1, k >= 1; top_k is at most k.
  ts_status (*sample_codes)(void *stream, const ts_sample_params *params, const float *logits, int64_t rows, int64_t k,
                            int32_t *codes);
} ts_backend;

// The one function that a plug-in exports: its table, or null if it cannot work with this abi.
typedef const ts_backend *(*ts_backend_init_fn)(uint32_t abi, const ts_host *host);

// The CPU backend, linked into libtessera.
const ts_backend *ts_cpu_backend(const ts_host *host);

#ifdef __cplusplus
}
#endif
