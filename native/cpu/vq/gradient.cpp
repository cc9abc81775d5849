// Gradients of the quantiser: by its input (straight-through and commitment) and by the codes (codebook loss).
#include "cpu/threads.h"
#include "cpu/vq/codebook.h"
#include "cpu/vq/vq.h"

namespace tessera::cpu {

using namespace vq;

ts_status vq_backward(void *stream_, float scale, const float *x, const float *quantized, const float *grad_quantized,
                      float *grad_x, int64_t count) {
  constexpr int64_t kBlock = 16384;
  auto *stream = static_cast<Stream *>(stream_);
  int64_t blocks = (count + kBlock - 1) / kBlock;
  for_blocks(threads_for(stream, blocks), blocks, [&](int, int64_t block) {
    int64_t end = std::min(count, (block + 1) * kBlock);
    if (grad_quantized) {
      for (int64_t i = block * kBlock; i < end; i++) grad_x[i] = grad_quantized[i] + scale * (x[i] - quantized[i]);
    } else {
      for (int64_t i = block * kBlock; i < end; i++) grad_x[i] = scale * (x[i] - quantized[i]);
    }
  });
  return TS_OK;
}

ts_status vq_codebook_grad(void *stream_, const void *codebook, double scale, const int32_t *counts, const float *sums,
                           float *grad) {
  constexpr int64_t kBlock = 64;
  auto *stream = static_cast<Stream *>(stream_);
  const auto *book = static_cast<const Codebook *>(codebook);
  int64_t k = book->k, d = book->d, blocks = (k + kBlock - 1) / kBlock;
  for_blocks(threads_for(stream, blocks), blocks, [&](int, int64_t block) {
    for (int64_t i = block * kBlock; i < std::min(k, (block + 1) * kBlock); i++) {
      auto count = static_cast<double>(counts[i]);
      // Float64: near convergence the two terms cancel.
      for (int64_t j = i * d; j < (i + 1) * d; j++)
        grad[j] =
            static_cast<float>(scale * (count * static_cast<double>(book->codes[j]) - static_cast<double>(sums[j])));
    }
  });
  return TS_OK;
}

}  // namespace tessera::cpu
