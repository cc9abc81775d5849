// Attention, one head of one image after the other: a piece of work for one thread.
#include "cpu/kernels/attention.h"

#include <cstring>

#include "cpu/kernels/attention_layout.h"
#include "cpu/kernels/kernels.h"
#include "cpu/threads.h"

namespace tessera::cpu {
namespace {

// A head of an image, and the one that the same thread works on next, or itself.
struct Head {
  int64_t image, head, next_image, next_head;

  // How far it is to the next head's numbers, where images are `image_step` apart.
  int64_t next(int64_t image_step, int64_t d) const {
    return (next_image - image) * image_step + (next_head - head) * d;
  }
};

// Calls body(kernels, scratch, head) for all heads of all images; each thread has `floats` of scratch.
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
  // A few neighbours at a time, so that most heads know which one is next.
  const int64_t group = std::clamp<int64_t>(count / (8 * threads), 1, 16);
  for_blocks(threads, (count + group - 1) / group, [&](int thread, int64_t block) {
    const int64_t end = std::min(count, (block + 1) * group);
    for (int64_t i = block * group; i < end; i++) {
      const int64_t next = i + 1 < end ? i + 1 : i;
      body(*set, scratch + thread * floats, {i / shape.heads, i % shape.heads, next / shape.heads, next % shape.heads});
    }
  });
  return TS_OK;
}

}  // namespace

ts_status attention_forward(void *stream, const ts_attention_shape *shape, const float *qkv, float *y, float *lse) {
  const int64_t t = shape->positions, d = shape->head_dim, c = shape->heads * d;
  return for_heads(stream, *shape, forward_floats(t, d), [=](const Kernels &set, float *scratch, const Head &at) {
    const int64_t image = at.image, head = at.head;
    const float *q = qkv + image * t * 3 * c + head * d;
    set.head_forward({.q = q,
                      .k = q + c,
                      .v = q + 2 * c,
                      .step = 3 * c,
                      .y = y + image * t * c + head * d,
                      .y_step = c,
                      .lse = lse + (image * shape->heads + head) * t,
                      .t = t,
                      .d = d,
                      .next = at.next(t * 3 * c, d),
                      .y_next = at.next(t * c, d)},
                     scratch);
  });
}

ts_status attention_backward(void *stream, const ts_attention_shape *shape, const float *qkv, const float *y,
                             const float *lse, const float *dy, float *dqkv) {
  const int64_t t = shape->positions, d = shape->head_dim, c = shape->heads * d;
  return for_heads(stream, *shape, backward_floats(t, d), [=](const Kernels &set, float *scratch, const Head &head) {
    const int64_t at = head.image * t * 3 * c + head.head * d, y_at = head.image * t * c + head.head * d;
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
                       .lse = lse + (head.image * shape->heads + head.head) * t,
                       .t = t,
                       .d = d,
                       .next = head.next(t * 3 * c, d),
                       .y_next = head.next(t * c, d)},
                      scratch);
  });
}

ts_status attention_step(void *stream, const ts_attention_shape *shape, int64_t t, const float *qkv, float *cache,
                         float *y) {
  const int64_t positions = shape->positions, d = shape->head_dim, c = shape->heads * d;
  return for_heads(stream, *shape, t + 1, [=](const Kernels &set, float *scratch, const Head &at) {
    const int64_t image = at.image, head = at.head;
    const float *q = qkv + image * 3 * c + head * d;
    float *k = cache + image * positions * 2 * c + head * d, *v = k + c;
    std::memcpy(k + t * 2 * c, q + c, static_cast<size_t>(d) * sizeof(float));
    std::memcpy(v + t * 2 * c, q + 2 * c, static_cast<size_t>(d) * sizeof(float));
    set.head_step({.q = q, .k = k, .v = v, .step = 2 * c, .y = y + image * c + head * d, .n = t + 1, .d = d}, scratch);
  });
}

}  // namespace tessera::cpu
