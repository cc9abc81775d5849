#include "backend/ops.h"
#include "backend/stream.h"
#include "kernels/attention.cuh"
#include "kernels/attention_backward.cuh"
#include "kernels/attention_step.cuh"

namespace tessera::cuda {
namespace {

AttentionShape shape_of(const ts_attention_shape &s) {
  return {s.heads, s.positions, s.head_dim, static_cast<int>(ceil_div<int64_t>(s.positions, kAttentionTile)),
          1.0f / sqrtf(static_cast<float>(s.head_dim))};
}

// The whole grid; false with the message if it is too large for one launch.
ts_status grid_of(Stream *s, const ts_attention_shape &shape, int64_t tiles, unsigned *grid) {
  const int64_t blocks = shape.batch * shape.heads * tiles;
  if (blocks > INT32_MAX)
    return host->fail(s->report, TS_INVALID_ARGUMENT,
                      "attention over %lld heads of %lld positions is too large for a GPU",
                      static_cast<long long>(shape.batch * shape.heads), static_cast<long long>(shape.positions));
  *grid = static_cast<unsigned>(blocks);
  return TS_OK;
}

template <int kD>
ts_status forward(Stream *s, const AttentionShape &shape, unsigned grid, const float *qkv, float *y, float *lse) {
  return TS_LAUNCH_ON(s, "attention", attention_rows<kD>, grid, kAttentionThreads,
                      3 * shared_bytes<float>(kAttentionRows<kD>), shape, qkv, y, lse);
}

template <int kD>
ts_status backward(Stream *s, const AttentionShape &shape, unsigned grid, const float *qkv, const float *y,
                   const float *lse, const float *dy, float *dqkv) {
  constexpr size_t kTiles = 4 * shared_bytes<float>(kAttentionRows<kD>);
  auto *delta = s->scratch.as<float>();
  TS_TRY(TS_LAUNCH_ON(s, "attention", attention_query_gradient<kD>, grid, kAttentionThreads, kTiles, shape, qkv, y, lse,
                      dy, dqkv, delta));
  return TS_LAUNCH_ON(s, "attention", attention_key_gradient<kD>, grid, kAttentionThreads,
                      kTiles + 2 * shared_bytes<float>(kAttentionTile), shape, qkv, lse, dy, delta, dqkv);
}

}  // namespace

ts_status attention_forward(void *stream, const ts_attention_shape *given, const float *qkv, float *y, float *lse) {
  Stream *s = Stream::of(stream);
  const AttentionShape shape = shape_of(*given);
  unsigned grid = 0;
  TS_TRY(grid_of(s, *given, shape.tiles, &grid));
  if (shape.d <= 32) return forward<32>(s, shape, grid, qkv, y, lse);
  if (shape.d <= 64) return forward<64>(s, shape, grid, qkv, y, lse);
  return forward<128>(s, shape, grid, qkv, y, lse);
}

ts_status attention_backward(void *stream, const ts_attention_shape *given, const float *qkv, const float *y,
                             const float *lse, const float *dy, float *dqkv) {
  Stream *s = Stream::of(stream);
  const AttentionShape shape = shape_of(*given);
  unsigned grid = 0;
  TS_TRY(grid_of(s, *given, shape.tiles, &grid));
  TS_TRY(s->reserve(static_cast<size_t>(given->batch * given->heads * given->positions) * sizeof(float)));
  if (shape.d <= 32) return backward<32>(s, shape, grid, qkv, y, lse, dy, dqkv);
  if (shape.d <= 64) return backward<64>(s, shape, grid, qkv, y, lse, dy, dqkv);
  return backward<128>(s, shape, grid, qkv, y, lse, dy, dqkv);
}

ts_status attention_step(void *stream, const ts_attention_shape *shape, int64_t t, const float *qkv, float *cache,
                         float *y) {
  Stream *s = Stream::of(stream);
  unsigned grid = 0;
  TS_TRY(grid_of(s, *shape, 1, &grid));
  const AttentionStep step = {shape->heads,
                              shape->head_dim,
                              shape->positions,
                              t,
                              1.0f / sqrtf(static_cast<float>(shape->head_dim)),
                              qkv,
                              cache,
                              y};
  return TS_LAUNCH_ON(s, "attention_step", attention_position, grid, kStepThreads,
                      3 * shared_bytes<float>(kStepThreads), step);
}

}  // namespace tessera::cuda
