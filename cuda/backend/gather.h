// Gathering rows of a codebook: the part that ts_vq_gather and ts_vq_quantize share.
#pragma once

#include "backend/codebook.h"

namespace tessera::cuda {

// A slot without a record reports no codes out of range.
ts_status gather(Stream *s, const Codebook *book, const int32_t *codes, int64_t n, float *out, FaultSlot fault);

}  // namespace tessera::cuda
