// Attention, one head of one image after the other: a piece of work for one thread.
#include "cpu/kernels/attention.h"

#include <cstring>

#include "cpu/kernels/attention_layout.h"
#include "cpu/kernels/kernels.h"
#include "cpu/threads.h"

namespace tessera::cpu {
namespace {

// Calls body(kernels, scratch, image, head) for all heads of all images; each thread has `floats` of scratch.
template <class Body>
ts_status for_heads(void *stream, const ts_attention_shape &shape, int64_t floats, const Body &body) {
  auto *s = static_cast<Stream *>(stream);
  const Kernels *set = kernels(s);
  if (!set) return TS_UNAVAILABLE;
  const int64_t count = shape.batch * shape.heads;
  const int threads = threads_for(s, count);
  floats = whole(floats);
  auto *scratch = static_cast<float *>(s->scratch.reserve(static_cast<size_t>(threads * floats) * sizeof(float)));
  if (!scratch)
    return host->fail(s->report, TS_OUT_OF_MEMORY, "no memory for attention over %lld positions",
                      static_cast<long long>(shape.positions));
  for_blocks(threads, count, [&](int thread, int64_t i) {
    body(*set, scratch + thread * floats, i / shape.heads, i % shape.heads);
  });
  return TS_OK;
}

}  // namespace

ts_status attention_forward(void *stream, const ts_attention_shape *shape, const float *qkv, float *y, float *lse) {
  const int64_t t = shape->positions, d = shape->head_dim, c = shape->heads * d;
  return for_heads(stream, *shape, forward_floats(t, d),
                   [=](const Kernels &set, float *scratch, int64_t image, int64_t head) {
                     const float *q = qkv + image * t * 3 * c + head * d;
                     set.head_forward({.q = q,
                                       .k = q + c,
                                       .v = q + 2 * c,
                                       .step = 3 * c,
                                       .y = y + image * t * c + head * d,
                                       .y_step = c,
                                       .lse = lse + (image * shape->heads + head) * t,
                                       .t = t,
                                       .d = d},
                                      scratch);
                   });
}

ts_status attention_backward(void *stream, const ts_attention_shape *shape, const float *qkv, const float *y,
                             const float *lse, const float *dy, float *dqkv) {
  const int64_t t = shape->positions, d = shape->head_dim, c = shape->heads * d;
  return for_heads(stream, *shape, backward_floats(t, d),
                   [=](const Kernels &set, float *scratch, int64_t image, int64_t head) {
                     const int64_t at = image * t * 3 * c + head * d, y_at = image * t * c + head * d;
                     set.head_backward({.q = qkv + at,
                                        .k = qkv + at + c,
                                        .v = qkv + at + 2 * c,
                                        .dq = dqkv + at,
                                        .dk = dqkv + at + c,
                                        .dv = dqkv + at + 2 * c,
                                        .step = 3 * c,
                                        .y = y + y_at,
                                        .dy = dy + y_at,
                                        .y_step = c,
                                        .lse = lse + (image * shape->heads + head) * t,
                                        .t = t,
                                        .d = d},
                                       scratch);
                   });
}

ts_status attention_step(void *stream, const ts_attention_shape *shape, int64_t t, const float *qkv, float *cache,
                         float *y) {
  const int64_t positions = shape->positions, d = shape->head_dim, c = shape->heads * d;
  return for_heads(stream, *shape, t + 1, [=](const Kernels &set, float *scratch, int64_t image, int64_t head) {
    const float *q = qkv + image * 3 * c + head * d;
    float *k = cache + image * positions * 2 * c + head * d, *v = k + c;
    std::memcpy(k + t * 2 * c, q + c, static_cast<size_t>(d) * sizeof(float));
    std::memcpy(v + t * 2 * c, q + 2 * c, static_cast<size_t>(d) * sizeof(float));
    set.head_step({.q = q, .k = k, .v = v, .step = 2 * c, .y = y + image * c + head * d, .n = t + 1, .d = d}, scratch);
  });
}

}  // namespace tessera::cpu
