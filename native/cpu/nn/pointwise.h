// 1x1 convolutions of stride 1 as one product of matrices over all pixels, by the loops of direct_avx512.h, with the
// next pixels' memory asked for meanwhile: in a training step they are in no near cache. docs/kernels.md, "Layers on a
// CPU", has the measurements.
//
// Every number is one chain of fma over ascending channels, so it does not depend on the number of threads.
#pragma once

#include <cstddef>

#include "cpu/nn/convolution.h"

namespace tessera::cpu::pointwise {

// Whether these kernels can run here and are the faster ones for the shape.
bool suits(const ts_conv_shape &shape);

// Bytes of workspace; to_in needs none.
size_t to_out_workspace(const ts_conv_shape &shape);

void to_out(const ts_conv_shape &shape, int threads, const float *in, const float *w, Epilogue epilogue, float *out,
            void *workspace);
void to_in(const ts_conv_shape &shape, int threads, const float *out, const float *w, Epilogue epilogue, float *in);

}  // namespace tessera::cpu::pointwise
