// Counts and sums of the rows of each code: the part that ts_vq_scatter and ts_vq_quantize share.
#pragma once

#include "backend/stream.h"

namespace tessera::cuda {

// Uses the stream's scratch memory. A slot without a record reports no codes out of range.
ts_status scatter_rows(Stream *s, const float *x, const int32_t *codes, int64_t n, int64_t k, int64_t d,
                       FaultSlot fault, int32_t *counts, float *sums);

// Rows are numbered with 31 bits in sorting and searching: fails, with the op's name, if there are more.
ts_status check_rows(Stream *s, int64_t n, const char *op);

}  // namespace tessera::cuda
