// Ops of the CPU backend that these kernels make. Signatures are those of ts_backend.
#pragma once

#include "core/backend.h"

namespace tessera::cpu {

ts_status attention_forward(void *stream, const ts_attention_shape *shape, const float *qkv, float *y, float *lse);
ts_status attention_backward(void *stream, const ts_attention_shape *shape, const float *qkv, const float *y,
                             const float *lse, const float *dy, float *dqkv);
ts_status attention_step(void *stream, const ts_attention_shape *shape, int64_t t, const float *qkv, float *cache,
                         float *y);
ts_status sequential_matmul(void *stream, const ts_matmul_shape *shape, const float *a, const float *b,
                            const float *bias, float *c);

}  // namespace tessera::cpu
