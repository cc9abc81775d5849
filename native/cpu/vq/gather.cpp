// vq_gather: the codes' vectors.
#include <cstring>

#include "cpu/threads.h"
#include "cpu/vq/codebook.h"
#include "cpu/vq/lowest.h"
#include "cpu/vq/vq.h"

namespace tessera::cpu {

using namespace vq;

ts_status vq_gather(void *stream_, const void *codebook, const int32_t *codes, int64_t n, float *out) {
  constexpr int64_t kBlock = 1024;
  auto *stream = static_cast<Stream *>(stream_);
  const auto *book = static_cast<const Codebook *>(codebook);
  int64_t d = book->d, blocks = (n + kBlock - 1) / kBlock;
  auto bytes = static_cast<size_t>(d) * sizeof(float);
  Lowest fault;
  for_blocks(threads_for(stream, blocks), blocks, [&](int, int64_t block) {
    for (int64_t i = block * kBlock; i < std::min(n, (block + 1) * kBlock); i++) {
      if (codes[i] >= 0 && codes[i] < book->k) {
        std::memcpy(out + i * d, book->codes + codes[i] * d, bytes);
      } else {
        std::memset(out + i * d, 0, bytes);
        fault.offer(i);
      }
    }
  });
  return fault.any() ? host->fault(stream->report, TS_FAULT_CODE_RANGE, fault.value(), "vq_gather") : TS_OK;
}

}  // namespace tessera::cpu
