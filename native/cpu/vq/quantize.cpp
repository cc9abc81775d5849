// vq_quantize: codes, their vectors, the squared error and the scatter-update in one pass over x. The work is cut into
// the blocks of 1,024 rows that fix the order of addition; within one, a piece of x is searched, compared and added
// while it is in the cache.
#include <cstring>
#include <new>

#include "cpu/threads.h"
#include "cpu/vq/block_sums.h"
#include "cpu/vq/search.h"
#include "cpu/vq/vq.h"

namespace tessera::cpu {
namespace {

using namespace vq;

// Adds the squared errors of rows x [rows, d] to `sum`, one row after the other. Rows without a code add nothing.
void add_errors(const Codebook *book, const float *x, const int32_t *codes, int64_t rows, double *sum) {
  constexpr int64_t kPairs = 8;
  const float *xs[kPairs], *cs[kPairs];
  double error[kPairs];
  int64_t pairs = 0;
  for (int64_t r = 0; r < rows; r++) {
    if (codes[r] >= 0) {
      xs[pairs] = x + r * book->d;
      cs[pairs++] = book->codes + codes[r] * book->d;
    }
    if (pairs == kPairs || (pairs > 0 && r == rows - 1)) {
      book->family->tools->distances(xs, cs, pairs, book->d, error);
      for (int64_t i = 0; i < pairs; i++) *sum += error[i];
      pairs = 0;
    }
  }
}

void gather_rows(const Codebook *book, const int32_t *codes, int64_t rows, float *out) {
  auto bytes = static_cast<size_t>(book->d) * sizeof(float);
  for (int64_t r = 0; r < rows; r++) {
    if (codes[r] >= 0)
      std::memcpy(out + r * book->d, book->codes + codes[r] * book->d, bytes);
    else
      std::memset(out + r * book->d, 0, bytes);
  }
}

}  // namespace

ts_status vq_quantize(void *stream_, const void *codebook, const float *x, int64_t n, int32_t *codes, float *quantized,
                      double *squared_error, int32_t *counts, float *sums) {
  auto *stream = static_cast<Stream *>(stream_);
  const auto *book = static_cast<const Codebook *>(codebook);
  int64_t k = book->k, d = book->d;
  if (counts) {
    std::memset(counts, 0, static_cast<size_t>(k) * sizeof(int32_t));
    std::memset(sums, 0, static_cast<size_t>(k * d) * sizeof(float));
  }
  Plan plan = make_plan(book);
  int64_t blocks = (n + kScatterBlock - 1) / kScatterBlock, largest = std::min(n, kScatterBlock);
  int threads = threads_for(stream, blocks);
  constexpr size_t kHead = (sizeof(BlockSums) + 63) / 64 * 64;
  SearchTeam team(stream, plan, threads, counts ? kHead + BlockSums::bytes(largest, d) : 0,
                  static_cast<size_t>(blocks) * sizeof(double));
  if (!team.ready()) return team.out_of_memory("vq_quantize");
  auto *errors = reinterpret_cast<double *>(team.shared());
  auto partial = [&](int thread) { return reinterpret_cast<BlockSums *>(team.own(thread)); };
  for (int t = 0; counts && t < threads; t++) new (partial(t)) BlockSums(team.own(t) + kHead, largest, d);

  for_blocks_ordered(
      threads, blocks,
      [&](int thread, int64_t block) {
        int64_t begin = block * kScatterBlock, end = std::min(n, begin + kScatterBlock);
        errors[block] = 0;
        if (counts) partial(thread)->clear();
        for (int64_t first = begin; first < end; first += plan.block) {
          int64_t rows = std::min(plan.block, end - first);
          const float *piece = x + first * d;
          search(plan, piece, first, rows, codes + first, team.work(thread));
          if (quantized) gather_rows(book, codes + first, rows, quantized + first * d);
          if (squared_error) add_errors(book, piece, codes + first, rows, &errors[block]);
          if (counts) partial(thread)->add(piece, codes + first, rows, k);
        }
      },
      [&](int thread, int64_t) {
        if (counts) partial(thread)->merge(counts, sums);
      });
  if (squared_error) {
    FloatMode mode;
    *squared_error = 0;
    for (int64_t block = 0; block < blocks; block++) *squared_error += errors[block];
  }
  return team.finish("vq_quantize");
}

}  // namespace tessera::cpu
