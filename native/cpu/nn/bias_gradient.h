// A bias gradient that has no by-weights pass to ride on: column sums of a gradient [rows, channels].
#pragma once

#include <cstddef>
#include <cstdint>

namespace tessera::cpu {

// Bytes of workspace that column_sums needs.
size_t column_sums_workspace(int64_t channels, int threads);

// sums [channels] of x [rows, channels]. Rows are cut into equal parts, one a thread, whose sums are added in order;
// within a part blocks of kBlockRows rows are summed first, so that the error grows with their number and not with the
// number of rows.
void column_sums(const float *x, int64_t rows, int64_t channels, int threads, float *sums, void *workspace);

}  // namespace tessera::cpu
