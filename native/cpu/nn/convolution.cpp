#include "cpu/nn/convolution.h"

#include <cstring>

#include "cpu/nn/bias_gradient.h"
#include "cpu/nn/conv_primitives.h"
#include "cpu/nn/direct.h"
#include "cpu/nn/pointwise.h"
#include "cpu/nn/thread_scope.h"
#include "cpu/nn/winograd.h"

namespace tessera::cpu {
namespace {

// Runs the cached primitive of `key`. oneDNN takes inputs as void *, and writes only what the op gives out.
template <class Build>
ts_status run(LayerState &state, const PrimitiveKey &key, Build &&build, const float *in, const float *w,
              const float *bias, const float *out) {
  ThreadScope threads(state.stream->threads);
  const CachedPrimitive &primitive = state.primitives.find(key, build);
  auto address = [](const float *p) { return static_cast<void *>(const_cast<float *>(p)); };
  char *workspace = state.workspace.reserve(primitive.workspace_bytes());
  return primitive.run(state.stream, state.queue.get(), {address(in), address(w), address(bias), address(out)},
                       workspace);
}

}  // namespace

ts_status to_out(LayerState &state, const ts_conv_shape &shape, const float *in, const float *w, Epilogue epilogue,
                 float *out) {
  if (shape.batch == 0) return TS_OK;
  int threads = state.stream->threads;
  if (winograd::suits_to_out(shape)) {
    char *workspace = state.workspace.reserve(winograd::to_out_workspace(shape, threads));
    return winograd::to_out(shape, threads, in, w, epilogue, out, workspace), TS_OK;
  }
  if (direct::suits_to_out(shape, threads)) {
    char *workspace = state.workspace.reserve(direct::to_out_workspace(shape, threads));
    return direct::to_out(shape, threads, in, w, epilogue, out, workspace), TS_OK;
  }
  if (pointwise::suits(shape)) {
    char *workspace = state.workspace.reserve(pointwise::to_out_workspace(shape));
    return pointwise::to_out(shape, threads, in, w, epilogue, out, workspace), TS_OK;
  }
  bool bias = epilogue.bias != nullptr;
  return run(
      state, conv_key(Op::kForward, shape, bias, epilogue.relu),
      [&] { return build_to_out(state.engine.get(), shape, bias, epilogue.relu); }, in, w, epilogue.bias, out);
}

ts_status to_in(LayerState &state, const ts_conv_shape &shape, const float *out, const float *w, Epilogue epilogue,
                float *in) {
  if (shape.batch == 0) return TS_OK;
  int threads = state.stream->threads;
  if (winograd::suits_to_in(shape)) {
    char *workspace = state.workspace.reserve(winograd::to_in_workspace(shape, threads));
    return winograd::to_in(shape, threads, out, w, epilogue, in, workspace), TS_OK;
  }
  if (direct::suits_to_in(shape, threads)) {
    char *workspace = state.workspace.reserve(direct::to_in_workspace(shape, threads));
    return direct::to_in(shape, threads, out, w, epilogue, in, workspace), TS_OK;
  }
  if (pointwise::suits(shape)) return pointwise::to_in(shape, threads, out, w, epilogue, in), TS_OK;
  bool bias = epilogue.bias != nullptr;
  return run(
      state, conv_key(Op::kData, shape, bias, epilogue.relu),
      [&] { return build_to_in(state.engine.get(), shape, bias, epilogue.relu); }, in, w, epilogue.bias, out);
}

ts_status to_weights(LayerState &state, const ts_conv_shape &shape, const float *in, const float *out, float *dw,
                     BiasSide bias_side, float *dbias) {
  if (shape.batch == 0) {
    int64_t weights = shape.out_c * shape.kernel_h * shape.kernel_w * (shape.in_c / shape.groups);
    memset(dw, 0, static_cast<size_t>(weights) * sizeof(float));
    int64_t channels = bias_side == BiasSide::kIn ? shape.in_c : shape.out_c;
    if (dbias) memset(dbias, 0, static_cast<size_t>(channels) * sizeof(float));
    return TS_OK;
  }
  int threads = state.stream->threads;
  if (winograd::suits_to_weights(shape)) {
    char *workspace = state.workspace.reserve(winograd::to_weights_workspace(shape, threads));
    return winograd::to_weights(shape, threads, in, out, dw, bias_side, dbias, workspace), TS_OK;
  }
  if (direct::suits_to_weights(shape, threads)) {
    char *workspace = state.workspace.reserve(direct::to_weights_workspace(shape, threads));
    return direct::to_weights(shape, threads, in, out, dw, bias_side, dbias, workspace), TS_OK;
  }
  // oneDNN's by-weights pass sums the out side along the way; the in side takes a pass of its own.
  bool fused = dbias && bias_side == BiasSide::kOut;
  if (dbias && !fused) {
    char *workspace = state.workspace.reserve(column_sums_workspace(shape.in_c, threads));
    column_sums(in, shape.batch * shape.in_h * shape.in_w, shape.in_c, threads, dbias, workspace);
  }
  return run(
      state, conv_key(Op::kWeights, shape, fused, false),
      [&] { return build_to_weights(state.engine.get(), shape, fused); }, in, dw, fused ? dbias : nullptr, out);
}

}  // namespace tessera::cpu
