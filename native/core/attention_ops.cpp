// Arguments of attention.
#include <limits>

#include "core/checks.h"

using namespace tessera;

namespace {

constexpr int64_t kMostHeadDim = 128;
constexpr int64_t kMostPositions = int64_t{1} << 24;  // kernels count a head's positions in 32 bits

// `channels` are C, of which each head has its part.
bool heads_ok(Call &call, int32_t heads, int64_t channels, ts_attention_shape *shape) {
  if (!call.range("heads", heads, 1, std::numeric_limits<int32_t>::max())) return false;
  if (channels % heads != 0)
    return call.fail("heads is %d but must divide the %lld channels", heads, static_cast<long long>(channels));
  shape->heads = heads;
  shape->head_dim = channels / heads;
  return call.range("the channels of a head", shape->head_dim, 1, kMostHeadDim);
}

// y [B,T,C], from which the other shapes follow.
bool sequence_ok(Call &call, int32_t heads, const View &y, ts_attention_shape *shape) {
  if (!call.rank(y, 3) || !heads_ok(call, heads, y.dim(2), shape)) return false;
  shape->batch = y.dim(0);
  shape->positions = y.dim(1);
  return call.range("the positions of y", shape->positions, 0, kMostPositions);
}

bool parts_agree(Call &call, const View &y, const View &qkv, const View &lse, const ts_attention_shape &shape) {
  return call.shape(qkv, {y.dim(0), y.dim(1), 3 * y.dim(2)}) && call.shape(lse, {y.dim(0), shape.heads, y.dim(1)});
}

}  // namespace

ts_status ts_attention_forward(ts_stream *stream, int32_t heads, const ts_tensor *qkv_, const ts_tensor *y_,
                               const ts_tensor *lse_) {
  TS_STREAM_CALL(call, stream);
  View qkv, y, lse;
  ts_attention_shape shape{};
  if (!call.tensor("qkv", qkv_, TS_F32, &qkv) || !call.tensor("y", y_, TS_F32, &y) ||
      !call.tensor("lse", lse_, TS_F32, &lse) || !sequence_ok(call, heads, y, &shape) ||
      !parts_agree(call, y, qkv, lse, shape) || !call.distinct(y, {qkv, lse}) || !call.distinct(lse, {qkv}))
    return call.status();
  if (y.count == 0) return TS_OK;
  return call.backend()->attention_forward(call.impl(), &shape, qkv.data<const float>(), y.data<float>(),
                                           lse.data<float>());
}

ts_status ts_attention_backward(ts_stream *stream, int32_t heads, const ts_tensor *qkv_, const ts_tensor *y_,
                                const ts_tensor *lse_, const ts_tensor *dy_, const ts_tensor *dqkv_) {
  TS_STREAM_CALL(call, stream);
  View qkv, y, lse, dy, dqkv;
  ts_attention_shape shape{};
  if (!call.tensor("qkv", qkv_, TS_F32, &qkv) || !call.tensor("y", y_, TS_F32, &y) ||
      !call.tensor("lse", lse_, TS_F32, &lse) || !call.tensor("dy", dy_, TS_F32, &dy) ||
      !call.tensor("dqkv", dqkv_, TS_F32, &dqkv) || !sequence_ok(call, heads, y, &shape) ||
      !parts_agree(call, y, qkv, lse, shape) || !call.same_shape(dy, y) || !call.same_shape(dqkv, qkv) ||
      !call.distinct(dqkv, {qkv, y, lse, dy}))
    return call.status();
  if (y.count == 0) return TS_OK;
  return call.backend()->attention_backward(call.impl(), &shape, qkv.data<const float>(), y.data<const float>(),
                                            lse.data<const float>(), dy.data<const float>(), dqkv.data<float>());
}

ts_status ts_attention_step(ts_stream *stream, int32_t heads, int64_t t, const ts_tensor *qkv_, const ts_tensor *cache_,
                            const ts_tensor *y_) {
  TS_STREAM_CALL(call, stream);
  View qkv, cache, y;
  ts_attention_shape shape{};
  if (!call.tensor("qkv", qkv_, TS_F32, &qkv) || !call.tensor("cache", cache_, TS_F32, &cache) ||
      !call.tensor("y", y_, TS_F32, &y) || !call.rank(y, 2) || !heads_ok(call, heads, y.dim(1), &shape) ||
      !call.shape(qkv, {y.dim(0), 3 * y.dim(1)}) || !call.rank(cache, 3) ||
      !call.range("the positions of cache", cache.dim(1), 1, kMostPositions) ||
      !call.shape(cache, {y.dim(0), cache.dim(1), 2 * y.dim(1)}) || !call.range("t", t, 0, cache.dim(1) - 1) ||
      !call.distinct(y, {qkv, cache}) || !call.distinct(cache, {qkv}))
    return call.status();
  shape.batch = y.dim(0);
  shape.positions = cache.dim(1);
  if (y.count == 0) return TS_OK;
  return call.backend()->attention_step(call.impl(), &shape, t, qkv.data<const float>(), cache.data<float>(),
                                        y.data<float>());
}
