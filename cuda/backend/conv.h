// Convolutions as products: what the maps of kernels/conv.cuh and the gradient by weights share.
#pragma once

#include "backend/stream.h"
#include "kernels/conv.cuh"

namespace tessera::cuda {

// The side that is gathered from.
ConvSource conv_source(const float *data, int64_t h, int64_t w, int64_t c, int64_t groups);

// All pixels of the `out` side, each with all its taps.
ConvPiece whole_output(const ts_conv_shape &shape);

// Fills in what follows from a piece's axes.
void complete(ConvPiece *piece, int64_t batch);

// The kernels' numbers are 32 bits wide, but for places in memory. TS_OK if the shape's are.
ts_status check_shape(Stream *s, const ts_conv_shape &shape);

}  // namespace tessera::cuda
