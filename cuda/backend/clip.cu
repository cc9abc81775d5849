#include "backend/ops.h"
#include "backend/reduce.h"
#include "kernels/clip.cuh"

namespace tessera::cuda {

ts_status clip_gradients(void *stream, double max_norm, uint32_t count, const ts_clip_slot *slots, double *norm) {
  Stream *s = Stream::of(stream);
  int64_t blocks = 0;
  for (uint32_t i = 0; i < count; i++) blocks += ceil_div<int64_t>(slots[i].size, kSumBlock);
  TS_TRY(s->reserve(static_cast<size_t>(blocks + 1) * sizeof(double)));
  auto *square = s->scratch.as<double>(), *sums = square + 1, *next = sums;
  for (uint32_t i = 0; i < count; i++) {
    const int64_t own = ceil_div<int64_t>(slots[i].size, kSumBlock);
    TS_TRY(TS_LAUNCH_ON(s, "clip", block_sums<Squares>, static_cast<unsigned>(ceil_div<int64_t>(own, kSumTile)),
                        kSumTile, shared_bytes<double>(kSumTileSize), Squares{slots[i].gradient}, slots[i].size, next));
    next += own;
  }
  TS_TRY(TS_LAUNCH_ON(s, "clip", total_of_sums, 1, kTotalThreads, shared_bytes<double>(kTotalTile), sums, blocks, 1.0,
                      square));
  // At least one launch, which writes the norm.
  uint32_t begin = 0;
  do {
    ClipWork work{};
    work.max_norm = max_norm;
    work.square = square;
    work.norm = norm;
    for (; begin < count && work.count < kClipSlots; begin++) {
      work.slots[work.count] = slots[begin];
      work.first_chunk[work.count + 1] =
          work.first_chunk[work.count] + static_cast<int>(ceil_div<int64_t>(slots[begin].size, kClipChunk));
      work.count++;
    }
    const int chunks = work.first_chunk[work.count];
    TS_TRY(TS_LAUNCH_ON(s, "clip", clip_chunks, static_cast<unsigned>(chunks > 0 ? chunks : 1), kClipThreads, 0, work));
  } while (begin < count);
  return TS_OK;
}

}  // namespace tessera::cuda
