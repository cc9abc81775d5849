// The name under which the registry knows this build of the backend.
#pragma once

#include "kernels/platform.cuh"

namespace tessera::cuda {

#if defined(TS_EMULATED)
constexpr const char *kBackendName = "cuda-emulated";
#else
constexpr const char *kBackendName = "cuda";
#endif

}  // namespace tessera::cuda
