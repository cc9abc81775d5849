#include <algorithm>

#include "cpu/nn/convolution.h"
#include "cpu/nn/thread_scope.h"

namespace tessera::cpu {
namespace {

// A row-major matrix of rows x columns, or the transpose of one.
OwnedLayout matrix(int64_t rows, int64_t columns, bool transposed) {
  const int64_t steps[] = {transposed ? 1 : columns, transposed ? rows : 1};
  return layout({rows, columns}, steps);
}

CachedPrimitive build(dnnl_engine_t engine, const ts_matmul_shape &s, bool bias) {
  OwnedLayout a = matrix(s.m, s.k, s.transpose_a), b = matrix(s.k, s.n, s.transpose_b), c = matrix(s.m, s.n, false);
  OwnedLayout bias_row = bias ? matrix(1, s.n, false) : OwnedLayout();
  OwnedAttributes attribute = attributes(s.accumulate                         ? Finish::kAccumulate
                                         : s.activation == TS_ACTIVATION_RELU ? Finish::kRelu
                                                                              : Finish::kNone);
  dnnl_primitive_desc_t raw = nullptr;
  DNNL_OK(dnnl_matmul_primitive_desc_create(&raw, engine, a.get(), b.get(), bias_row.get(), c.get(), attribute.get()));
  OwnedDescription description(raw);
  using C = CachedPrimitive;
  if (bias)
    return make_cached(
        engine, raw,
        {{C::kIn, DNNL_ARG_SRC}, {C::kWeights, DNNL_ARG_WEIGHTS}, {C::kBias, DNNL_ARG_BIAS}, {C::kOut, DNNL_ARG_DST}},
        b, false);
  return make_cached(engine, raw, {{C::kIn, DNNL_ARG_SRC}, {C::kWeights, DNNL_ARG_WEIGHTS}, {C::kOut, DNNL_ARG_DST}}, b,
                     false);
}

// The product over nothing: c = act(bias), or c unchanged.
void empty_product(const ts_matmul_shape &s, const float *bias, float *c) {
  if (s.accumulate) return;
  for (int64_t row = 0; row < s.m; row++)
    for (int64_t j = 0; j < s.n; j++) {
      float value = bias ? bias[j] : 0.0f;
      c[row * s.n + j] = s.activation == TS_ACTIVATION_RELU ? std::max(value, 0.0f) : value;
    }
}

}  // namespace

ts_status matmul(LayerState &state, const ts_matmul_shape &shape, const float *a, const float *b, const float *bias,
                 float *c) {
  if (shape.m == 0 || shape.n == 0) return TS_OK;
  if (shape.k == 0) return empty_product(shape, bias, c), TS_OK;
  ThreadScope threads(state.stream->threads);
  const CachedPrimitive &primitive = state.primitives.find(
      matmul_key(shape, bias != nullptr), [&] { return build(state.engine.get(), shape, bias != nullptr); });
  auto address = [](const float *p) { return static_cast<void *>(const_cast<float *>(p)); };
  char *workspace = state.workspace.reserve(primitive.workspace_bytes());
  return primitive.run(state.stream, state.queue.get(), {address(a), address(b), address(bias), address(c)}, workspace);
}

}  // namespace tessera::cpu
