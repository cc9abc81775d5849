// The built-in variables of a kernel (threadIdx and so on), for the lane that runs now.
#pragma once

#include "emulation/vector_types.h"

namespace tessera::emulation {

struct Indices {
  uint3 thread, block;
  dim3 block_dim, grid_dim;
};

// Set at each switch of lanes. __thread and not thread_local: read in every kernel's inner loops, it must not go
// through a function that checks whether it was initialised.
extern __thread const Indices *indices __attribute__((tls_model("initial-exec")));

}  // namespace tessera::emulation

#define threadIdx (::tessera::emulation::indices->thread)
#define blockIdx (::tessera::emulation::indices->block)
#define blockDim (::tessera::emulation::indices->block_dim)
#define gridDim (::tessera::emulation::indices->grid_dim)
