// Sums of any term in tessera.h's order: see kernels/reduce.cuh.
#pragma once

#include "backend/stream.h"
#include "kernels/reduce.cuh"

namespace tessera::cuda {

// *total = the sum of term(i) over [0, count), divided by `divisor`. `sums` [blocks of 1024] is scratch; all of them
// lie in device memory.
template <class Term>
ts_status sum_terms(Stream *s, const char *family, Term term, int64_t count, double divisor, double *sums,
                    double *total) {
  const int64_t blocks = ceil_div<int64_t>(count, kSumBlock);
  if (count > 0)
    TS_TRY(TS_LAUNCH_ON(s, family, block_sums<Term>, static_cast<unsigned>(ceil_div<int64_t>(blocks, kSumTile)),
                        kSumTile, shared_bytes<double>(kSumTileSize), term, count, sums));
  return TS_LAUNCH_ON(s, family, total_of_sums, 1, kTotalThreads, shared_bytes<double>(kTotalTile), sums, blocks,
                      divisor, total);
}

// The same with the sums in the stream's scratch memory.
template <class Term>
ts_status sum_terms(Stream *s, const char *family, Term term, int64_t count, double divisor, double *total) {
  TS_TRY(s->reserve(static_cast<size_t>(ceil_div<int64_t>(count, kSumBlock) + 1) * sizeof(double)));
  return sum_terms(s, family, term, count, divisor, s->scratch.as<double>(), total);
}

}  // namespace tessera::cuda
