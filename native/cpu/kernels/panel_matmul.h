// Matrix products on packed panels of b, in place of oneDNN's where the processor has AVX-512. docs/kernels.md,
// "Products", has the measurements.
#pragma once

#include "core/backend.h"

namespace tessera::cpu {

struct Kernels;
struct Stream;

// Whether these kernels are the faster ones for the shape.
bool panels_suit(const Kernels &set, const ts_matmul_shape &shape);

// ts_matmul. Nothing depends on the number of threads.
ts_status panel_matmul(const Kernels &set, Stream *stream, const ts_matmul_shape &shape, const float *a, const float *b,
                       const float *bias, float *c);

}  // namespace tessera::cpu
