#include "backend/ops.h"
#include "backend/stream.h"
#include "kernels/adam.cuh"

namespace tessera::cuda {

// The core gives at most kAdamSlots at a time, which is what a kernel's parameters hold.
ts_status adam_step(void *stream, const ts_adam_factors *factors, uint32_t count, const ts_adam_slot *slots) {
  Stream *s = Stream::of(stream);
  for (uint32_t begin = 0; begin < count; begin += kAdamSlots) {
    AdamWork work{};
    work.factors = *factors;
    for (uint32_t i = begin; i < count && work.count < kAdamSlots; i++) {
      if (slots[i].size == 0) continue;
      int chunks = static_cast<int>(ceil_div<int64_t>(slots[i].size, kAdamChunk));
      work.slots[work.count] = slots[i];
      work.first_chunk[work.count + 1] = work.first_chunk[work.count] + chunks;
      work.count++;
    }
    if (work.count == 0) continue;
    TS_TRY(TS_LAUNCH_ON(s, "adam", adam_update, static_cast<unsigned>(work.first_chunk[work.count]), kAdamThreads, 0,
                        work));
  }
  return TS_OK;
}

}  // namespace tessera::cuda
