// Winograd's convolution F(2x2, 3x3) (Lavin and Gray, "Fast Algorithms for Convolutional Neural Networks", 2015): 16
// multiplications for the four pixels of a 2x2 tile where the plain sum takes 36. For kernels of 3x3 with stride 1 and
// no dilation, and channels enough that the transforms cost little beside the products. With
//
//           | 1  0 -1  0 |         |  1   0   0  |          | 1  0 |
//     B^T = | 0  1  1  0 |     G = | 1/2 1/2 1/2 |      A = | 1  1 |
//           | 0 -1  1  0 |         | 1/2-1/2 1/2 |          | 1 -1 |
//           | 0  1  0 -1 |         |  0   0   1  |          | 0 -1 |
//
// a tile of results y (2x2) from the pixels d (4x4) under it and a kernel g (3x3), and its gradient by g, are
//
//     y = A^T [(G g G^T) . (B^T d B)] A          dg = G^T [(A dy A^T) . (B^T d B)] G          (. element by element)
//
// The products at each of the 16 places, summed over channels (y) or tiles (dg), are products of matrices. Sides are
// those of convolution.h. Threads share the tiles out. Maps between the sides do not depend on how; the gradient by
// weights is summed per thread and then in the order of the threads.
#pragma once

#include <cstddef>

#include "cpu/nn/convolution.h"

namespace tessera::cpu::winograd {

// Whether these kernels can run here and are the faster ones for the shape.
bool suits_to_out(const ts_conv_shape &shape);
bool suits_to_in(const ts_conv_shape &shape);
bool suits_to_weights(const ts_conv_shape &shape);

// Bytes of workspace that the maps need.
size_t to_out_workspace(const ts_conv_shape &shape, int threads);
size_t to_in_workspace(const ts_conv_shape &shape, int threads);
size_t to_weights_workspace(const ts_conv_shape &shape, int threads);

void to_out(const ts_conv_shape &shape, int threads, const float *in, const float *w, Epilogue epilogue, float *out,
            void *workspace);
void to_in(const ts_conv_shape &shape, int threads, const float *out, const float *w, Epilogue epilogue, float *in,
           void *workspace);
void to_weights(const ts_conv_shape &shape, int threads, const float *in, const float *out, float *dw,
                BiasSide bias_side, float *dbias, void *workspace);

}  // namespace tessera::cpu::winograd
