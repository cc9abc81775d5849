// Sums of any term in tessera.h's order: see kernels/reduce.cuh.
#pragma once

#include "backend/stream.h"
#include "kernels/reduce.cuh"

namespace tessera::cuda {

// *total (device memory) = the sum of term(i) over [0, count), divided by `divisor`.
template <class Term>
ts_status sum_terms(Stream *s, const char *family, Term term, int64_t count, double divisor, double *total) {
  int64_t blocks = ceil_div<int64_t>(count, kSumBlock), grid = ceil_div<int64_t>(blocks, kSumTile);
  TS_TRY(s->reserve(static_cast<size_t>(blocks) * sizeof(double) + 1));
  auto *sums = s->scratch.as<double>();
  if (count > 0)
    TS_TRY(TS_LAUNCH_ON(s, family, block_sums<Term>, static_cast<unsigned>(grid), kSumTile,
                        shared_bytes<double>(kSumTile * kSumPitch), term, count, sums));
  return TS_LAUNCH_ON(s, family, total_of_sums, 1, kTotalThreads, shared_bytes<double>(kTotalTile), sums, blocks,
                      divisor, total);
}

}  // namespace tessera::cuda
