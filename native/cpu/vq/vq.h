// Vector quantisation on the CPU: the entries of ts_backend that this folder fills in. `stream` is a
// tessera::cpu::Stream, `device` a tessera::cpu::Device, `codebook` a tessera::cpu::vq::Codebook.
#pragma once

#include "core/backend.h"

namespace tessera::cpu {

ts_status codebook_alloc(void *device, int64_t k, int64_t d, ts_report *report, void **codebook);
void codebook_free(void *codebook);
float *codebook_codes(const void *codebook);
uint64_t codebook_bytes(const void *codebook);
ts_status codebook_pack(void *stream, void *codebook, const char *op);

ts_status vq_assign(void *stream, const void *codebook, const float *x, int64_t n, int32_t *codes);
ts_status vq_gather(void *stream, const void *codebook, const int32_t *codes, int64_t n, float *out);
ts_status vq_quantize(void *stream, const void *codebook, const float *x, int64_t n, int32_t *codes, float *quantized,
                      double *squared_error, int32_t *counts, float *sums);
ts_status vq_scatter(void *stream, const float *x, const int32_t *codes, int64_t n, int64_t k, int64_t d,
                     int32_t *counts, float *sums);
ts_status vq_ema(void *stream, const ts_ema_factors *factors, int64_t k, int64_t d, const int32_t *counts,
                 const float *sums, float *hidden_counts, float *hidden_sums, const float *old_codes, float *new_codes);
ts_status vq_restart(void *stream, const ts_restart_factors *factors, int64_t k, int64_t d, const float *x, int64_t n,
                     float *hidden_counts, float *hidden_sums, const float *old_codes, float *new_codes,
                     int32_t *restarted);
ts_status vq_backward(void *stream, float scale, const float *x, const float *quantized, const float *grad_quantized,
                      float *grad_x, int64_t count);
ts_status vq_codebook_grad(void *stream, const void *codebook, double scale, const int32_t *counts, const float *sums,
                           float *grad);
ts_status vq_statistics(void *stream, int32_t reset, ts_vq_stats *stats);

}  // namespace tessera::cpu
