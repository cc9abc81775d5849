// The three maps of a convolution between its two sides, `in` [B,H,W,C] and `out` [B,OH,OW,O]. Layers are made of them:
//
//   layer                  forward          by data          by weights (image side, gradient side)
//   convolution            to_out           to_in            weights(x = in, dy = out)
//   transposed             to_in            to_out           weights(dy = in, x = out)
#pragma once

#include "cpu/nn/layer_state.h"

namespace tessera::cpu {

// Whether each pixel of `out` has one pixel of `in` under it, its own: a product of matrices over the pixels.
inline bool is_pixelwise(const ts_conv_shape &s) {
  return s.kernel_h == 1 && s.kernel_w == 1 && s.stride_h == 1 && s.stride_w == 1 && s.groups == 1 &&
         s.out_h == s.in_h && s.out_w == s.in_w;
}

// What is done to each result before it is stored: bias [channels of the result] may be null.
struct Epilogue {
  const float *bias = nullptr;
  bool relu = false;
};

// out = epilogue(convolution of in)
ts_status to_out(LayerState &state, const ts_conv_shape &shape, const float *in, const float *w, Epilogue epilogue,
                 float *out);

// in = epilogue(gradient of the convolution by its input, at out)
ts_status to_in(LayerState &state, const ts_conv_shape &shape, const float *out, const float *w, Epilogue epilogue,
                float *in);

// dw, from both sides; then dbias, the sum over the pixels of the side that is the layer's gradient (dbias may be
// null).
enum class BiasSide { kIn, kOut };
ts_status to_weights(LayerState &state, const ts_conv_shape &shape, const float *in, const float *out, float *dw,
                     BiasSide bias_side, float *dbias);

ts_status matmul(LayerState &state, const ts_matmul_shape &shape, const float *a, const float *b, const float *bias,
                 float *c);

}  // namespace tessera::cpu
