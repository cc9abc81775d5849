// Our own convolution kernels, for the layers that oneDNN is slow at: those with few channels on the image side, and
// gradients by weights. docs/kernels.md, "Layers on a CPU", has the measurements.
//
// Sides are those of convolution.h. An image of the `in` side is worked on inside a frame (frame.h). Threads share the
// images out; sums over images are added per thread and then in the order of the threads, so that results depend on the
// number of threads, and on nothing else.
#pragma once

#include <cstddef>

#include "cpu/nn/convolution.h"

namespace tessera::cpu::direct {

// Whether the processor runs the files that are named avx512, which are not asked themselves: they may not even start
// there.
bool has_avx512();

// Whether these kernels can run here and are the faster ones for the shape.
bool suits_to_out(const ts_conv_shape &shape, int threads);
bool suits_to_in(const ts_conv_shape &shape, int threads);
bool suits_to_weights(const ts_conv_shape &shape, int threads);

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

}  // namespace tessera::cpu::direct
