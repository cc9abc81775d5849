// Matrix products in the one order of addition, in tiles of rows and columns that threads share out.
#include "cpu/kernels/attention.h"
#include "cpu/kernels/kernels.h"
#include "cpu/threads.h"

namespace tessera::cpu {
namespace {

// b, transposed into rows of n, 16 x 16 numbers at a time.
void transpose(const float *b, int64_t n, int64_t k, float *to) {
  constexpr int64_t kBlock = 16;
  for (int64_t first = 0; first < n; first += kBlock)
    for (int64_t at = 0; at < k; at += kBlock)
      for (int64_t j = first; j < std::min(n, first + kBlock); j++)
        for (int64_t i = at; i < std::min(k, at + kBlock); i++) to[i * n + j] = b[j * k + i];
}

}  // namespace

ts_status sequential_matmul(void *stream, const ts_matmul_shape *shape, const float *a, const float *b,
                            const float *bias, float *c) {
  constexpr int64_t kRows = 24, kColumns = 64;  // whole tiles of every set
  auto *s = static_cast<Stream *>(stream);
  const Kernels *set = kernels(s);
  if (!set) return TS_UNAVAILABLE;
  const int64_t m = shape->m, n = shape->n, k = shape->k;
  if (shape->transpose_b) {
    auto *rows = static_cast<float *>(s->scratch.reserve(static_cast<size_t>(n * k) * sizeof(float) + 1));
    if (!rows)
      return host->fail(s->report, TS_OUT_OF_MEMORY, "no memory to transpose a matrix of %lld x %lld",
                        static_cast<long long>(n), static_cast<long long>(k));
    transpose(b, n, k, rows);
    b = rows;
  }
  const SequentialProduct product = {a, b, bias, c, n, k, shape->activation == TS_ACTIVATION_RELU};
  const int64_t across = (n + kColumns - 1) / kColumns, blocks = (m + kRows - 1) / kRows * across;
  constexpr int64_t kGrain = int64_t{1} << 18;  // multiply-adds below which a thread costs more than it saves
  const int threads = m * n * k < kGrain ? 1 : threads_for(s, blocks);
  for_blocks(threads, blocks, [&](int, int64_t block) {
    const int64_t row = block / across * kRows, column = block % across * kColumns;
    set->sequential_product(product, row, std::min(kRows, m - row), column, std::min(kColumns, n - column));
  });
  return TS_OK;
}

}  // namespace tessera::cpu
