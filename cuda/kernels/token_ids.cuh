// token_ids: the codes one position later, behind the token of the class.
//
//   tile       a thread an id, 256 threads
//   registers  at most 40, no shared memory
//   work       8 bytes an id
#pragma once

#include "kernels/fault.cuh"

namespace tessera::cuda {

constexpr int kTokenThreads = 256, kTokenBlocks = 6;

struct TokenIds {
  int64_t code_count, class_count;
  const int32_t *codes, *classes;  // classes may be null
  int64_t count, positions;
  int32_t *ids;
};

TS_KERNEL(kTokenThreads, kTokenBlocks) write_token_ids(TokenIds w, FaultSlot fault) {
  const int64_t stride = int64_t{gridDim.x} * kTokenThreads;
  for (int64_t i = int64_t{blockIdx.x} * kTokenThreads + threadIdx.x; i < w.count; i += stride) {
    const bool first = i % w.positions == 0;
    const int64_t value = !first ? w.codes[i - 1] : w.classes ? w.classes[i / w.positions] : 0;
    const bool valid = TS_GUARD(1, value >= 0 && value < (!first ? w.code_count : w.classes ? w.class_count : 1));
    if (!valid) report_fault(fault, i);
    w.ids[i] = valid ? static_cast<int32_t>(first ? w.code_count + value : value) : -1;
  }
}

}  // namespace tessera::cuda
