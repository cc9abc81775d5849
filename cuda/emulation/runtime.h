// What the emulated CUDA runtime adds to cudart's functions: launching a kernel.
#pragma once

#include <functional>

#include "emulation/vector_types.h"

struct CUstream_st;

namespace tessera::emulation {

// Puts a kernel into the stream, as cudaLaunchKernel does; returns a cudaError_t. Blocks run in random order.
int launch(const char *name, dim3 grid, dim3 block, size_t shared_bytes, CUstream_st *stream,
           std::function<void()> body);

}  // namespace tessera::emulation
