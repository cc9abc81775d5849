// vq_scatter: counts and sums per code.
#include <cstring>
#include <new>

#include "cpu/threads.h"
#include "cpu/vq/block_sums.h"
#include "cpu/vq/carver.h"
#include "cpu/vq/lowest.h"
#include "cpu/vq/vq.h"

namespace tessera::cpu {

using namespace vq;

ts_status vq_scatter(void *stream_, const float *x, const int32_t *codes, int64_t n, int64_t k, int64_t d,
                     int32_t *counts, float *sums) {
  auto *stream = static_cast<Stream *>(stream_);
  std::memset(counts, 0, static_cast<size_t>(k) * sizeof(int32_t));
  std::memset(sums, 0, static_cast<size_t>(k * d) * sizeof(float));
  int64_t blocks = (n + kScatterBlock - 1) / kScatterBlock, largest = std::min(n, kScatterBlock);
  if (n == 0) return TS_OK;
  int threads = threads_for(stream, blocks);
  Carver measure{nullptr};
  measure.take<BlockSums>(threads);
  size_t head = measure.used, bytes = BlockSums::bytes(largest, d);
  auto *scratch = static_cast<std::byte *>(stream->scratch.reserve(head + bytes * static_cast<size_t>(threads)));
  if (!scratch) return host->fail(stream->report, TS_OUT_OF_MEMORY, "ts_vq_scatter: no memory for scratch");
  auto *partial = reinterpret_cast<BlockSums *>(scratch);
  for (int t = 0; t < threads; t++)
    new (partial + t) BlockSums(scratch + head + bytes * static_cast<size_t>(t), largest, d);

  Lowest fault;
  for_blocks_ordered(
      threads, blocks,
      [&](int thread, int64_t block) {
        int64_t first = block * kScatterBlock;
        partial[thread].clear();
        int64_t at = partial[thread].add(x + first * d, codes + first, std::min(kScatterBlock, n - first), k);
        if (at >= 0) fault.offer(first + at);
      },
      [&](int thread, int64_t) { partial[thread].merge(counts, sums); });
  return fault.any() ? host->fault(stream->report, TS_FAULT_CODE_RANGE, fault.value(), "vq_scatter") : TS_OK;
}

}  // namespace tessera::cpu
