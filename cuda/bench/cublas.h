// The part of cuBLAS that yardsticks need, opened at run time where it is installed: Tessera does not depend on it.
#pragma once

#include <cuda_runtime.h>

#include <cstdint>
#include <string>

namespace tessera::bench {

class Cublas {
 public:
  // Without cuBLAS, ok() is false and reason() says why. A tiny run does without: loading it under compute-sanitizer
  // takes longer than all else.
  Cublas(cudaStream_t stream, bool tiny);
  ~Cublas();
  Cublas(const Cublas &) = delete;
  Cublas &operator=(const Cublas &) = delete;

  bool ok() const { return handle_ != nullptr; }
  const std::string &reason() const { return reason_; }

  // c [m, n] = a [m, k] b^T, b [n, k], all row-major. False if cuBLAS refuses.
  bool product_fp32(int64_t m, int64_t n, int64_t k, const float *a, const float *b, float *c, bool tf32);
  bool product_fp16(int64_t m, int64_t n, int64_t k, const void *a, const void *b, float *c);

 private:
  bool product(int64_t m, int64_t n, int64_t k, const void *a, const void *b, float *c, int type, int compute);

  std::string reason_;
  void *handle_ = nullptr;
  int (*destroy_)(void *) = nullptr;
  int (*gemm_)(void *, int, int, int, int, int, const void *, const void *, int, int, const void *, int, int,
               const void *, void *, int, int, int, int) = nullptr;
};

}  // namespace tessera::bench
