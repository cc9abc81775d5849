#include "cublas.h"

#include <dlfcn.h>

namespace tessera::bench {
namespace {

// Of cublas_api.h and library_types.h.
constexpr int kTransposed = 1, kPlain = 0, kR32F = 0, kR16F = 2, kCompute32F = 68, kCompute32FFastTf32 = 77,
              kDefaultAlgorithm = -1;

template <class Function>
bool find(void *library, const char *name, Function *function) {
  *function = reinterpret_cast<Function>(dlsym(library, name));
  return *function != nullptr;
}

}  // namespace

#if defined(TS_EMULATED)

Cublas::Cublas(cudaStream_t, bool) : reason_("cuBLAS does not run on the emulator") {}

#else

Cublas::Cublas(cudaStream_t stream, bool tiny) {
  if (tiny) {
    reason_ = "cuBLAS is left out of a tiny run";
    return;
  }
  void *library = nullptr;
  for (const char *name : {"libcublas.so.13", "libcublas.so.12", "libcublas.so"})
    if ((library = dlopen(name, RTLD_NOW | RTLD_LOCAL))) break;
  if (!library) {
    reason_ = "cuBLAS was not found (LD_LIBRARY_PATH is where it is looked for)";
    return;
  }
  int (*create)(void **) = nullptr;
  int (*set_stream)(void *, cudaStream_t) = nullptr;
  if (!find(library, "cublasCreate_v2", &create) || !find(library, "cublasSetStream_v2", &set_stream) ||
      !find(library, "cublasDestroy_v2", &destroy_) || !find(library, "cublasGemmEx", &gemm_)) {
    reason_ = "cuBLAS lacks a function";
    return;
  }
  const int status = create(&handle_);
  if (status != 0) {
    handle_ = nullptr;
    reason_ = "cuBLAS does not start: status " + std::to_string(status);
  } else {
    set_stream(handle_, stream);
  }
}

#endif

Cublas::~Cublas() {
  if (handle_) destroy_(handle_);
}

// Column-major, as cuBLAS has it: c^T [n, m] = b a^T, where b and a are the transposes of what lies in memory.
bool Cublas::product(int64_t m, int64_t n, int64_t k, const void *a, const void *b, float *c, int type, int compute) {
  const float one = 1.0f, zero = 0.0f;
  return gemm_(handle_, kTransposed, kPlain, static_cast<int>(n), static_cast<int>(m), static_cast<int>(k), &one, b,
               type, static_cast<int>(k), a, type, static_cast<int>(k), &zero, c, kR32F, static_cast<int>(n), compute,
               kDefaultAlgorithm) == 0;
}

bool Cublas::product_fp32(int64_t m, int64_t n, int64_t k, const float *a, const float *b, float *c, bool tf32) {
  return product(m, n, k, a, b, c, kR32F, tf32 ? kCompute32FFastTf32 : kCompute32F);
}

bool Cublas::product_fp16(int64_t m, int64_t n, int64_t k, const void *a, const void *b, float *c) {
  return product(m, n, k, a, b, c, kR16F, kCompute32F);
}

}  // namespace tessera::bench
