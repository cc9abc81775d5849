// The layers of ts_backend, passed on to libtessera_cpu_nn.so, which is opened when a layer is first used; products
// that cpu/kernels makes stay here.
#pragma once

#include "cpu/stream.h"

namespace tessera::cpu {

// Frees the stream's layer state, if a layer ever ran on it.
void close_layers(Stream *stream);

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
ts_status matmul(void *stream, const ts_matmul_shape *shape, const float *a, const float *b, const float *bias,
                 float *c);

}  // namespace tessera::cpu
