// Nearest codes: the part that ts_vq_assign and ts_vq_quantize share.
#pragma once

#include "backend/codebook.h"

namespace tessera::cuda {

// codes [n] of the rows x [n, d]; -1 for rows that are not finite, which are reported in the slot. Uses the stream's
// scratch memory.
ts_status search(Stream *s, const Codebook *book, const float *x, int64_t n, int32_t *codes, FaultSlot fault);

}  // namespace tessera::cuda
