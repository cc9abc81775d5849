// Builds the oneDNN primitives of convolution.h's three maps. Weights are given in the API's layout [O,KH,KW,I/groups]
// and reordered within each call into the one that oneDNN chooses: its kernels for the plain layout are the reference
// ones, a thousand times slower, and the reorder takes 1 to 3 % of a call.
#pragma once

#include "cpu/nn/convolution.h"

namespace tessera::cpu {

CachedPrimitive build_to_out(dnnl_engine_t engine, const ts_conv_shape &shape, bool bias, bool relu);
CachedPrimitive build_to_in(dnnl_engine_t engine, const ts_conv_shape &shape, bool bias, bool relu);
CachedPrimitive build_to_weights(dnnl_engine_t engine, const ts_conv_shape &shape, bool bias);

}  // namespace tessera::cpu
