#include "backend/ops.h"
#include "backend/stream.h"
#include "kernels/token_ids.cuh"

namespace tessera::cuda {

ts_status token_ids(void *stream, int64_t code_count, int64_t class_count, const int32_t *codes, const int32_t *classes,
                    int64_t batch, int64_t positions, int32_t *ids) {
  Stream *s = Stream::of(stream);
  FaultSlot fault;
  TS_TRY(s->faults.begin(TS_FAULT_CODE_RANGE, "token_ids", &fault));
  const int64_t count = batch * positions;
  const unsigned grid = s->blocks(ceil_div<int64_t>(count, kTokenThreads), kTokenBlocks);
  return TS_LAUNCH_ON(s, "token_ids", write_token_ids, grid, kTokenThreads, 0,
                      TokenIds{code_count, class_count, codes, classes, count, positions, ids}, fault);
}

}  // namespace tessera::cuda
