// The one function that libtessera_cpu_nn.so exports, and the table it returns: layers in terms of convolution.h's
// maps.
#include <new>

#include "cpu/nn/convolution.h"

namespace tessera::cpu {

const ts_host *host = nullptr;

namespace {

ts_status no_memory(Stream *stream) {
  return host->fail(stream->report, TS_OUT_OF_MEMORY, "no memory for a layer's workspace");
}

// Calls a map with the stream's state; nothing is thrown across the library's border.
template <class Body>
ts_status guarded(void *stream_, Body &&body) {
  auto *stream = static_cast<Stream *>(stream_);
  try {
    return body(*stream->layers);
  } catch (const OnednnError &error) {
    return report_onednn(stream, error);
  } catch (const std::bad_alloc &) {
    return no_memory(stream);
  }
}

LayerState *open(Stream *stream) {
  try {
    return new LayerState(stream);
  } catch (const OnednnError &error) {
    report_onednn(stream, error);
  } catch (const std::bad_alloc &) {
    no_memory(stream);
  }
  return nullptr;
}

void close(LayerState *state) { delete state; }

Epilogue epilogue_of(const ts_conv_shape *shape, const float *bias) {
  return {bias, shape->activation == TS_ACTIVATION_RELU};
}

ts_status conv2d_forward(void *stream, const ts_conv_shape *shape, const float *x, const float *w, const float *bias,
                         float *y) {
  return guarded(stream, [&](LayerState &state) { return to_out(state, *shape, x, w, epilogue_of(shape, bias), y); });
}

ts_status conv2d_backward_data(void *stream, const ts_conv_shape *shape, const float *dy, const float *w, float *dx) {
  return guarded(stream, [&](LayerState &state) { return to_in(state, *shape, dy, w, {}, dx); });
}

ts_status conv2d_backward_weights(void *stream, const ts_conv_shape *shape, const float *x, const float *dy, float *dw,
                                  float *dbias) {
  return guarded(stream,
                 [&](LayerState &state) { return to_weights(state, *shape, x, dy, dw, BiasSide::kOut, dbias); });
}

ts_status conv_transpose2d_forward(void *stream, const ts_conv_shape *shape, const float *x, const float *w,
                                   const float *bias, float *y) {
  return guarded(stream, [&](LayerState &state) { return to_in(state, *shape, x, w, epilogue_of(shape, bias), y); });
}

ts_status conv_transpose2d_backward_data(void *stream, const ts_conv_shape *shape, const float *dy, const float *w,
                                         float *dx) {
  return guarded(stream, [&](LayerState &state) { return to_out(state, *shape, dy, w, {}, dx); });
}

ts_status conv_transpose2d_backward_weights(void *stream, const ts_conv_shape *shape, const float *x, const float *dy,
                                            float *dw, float *dbias) {
  return guarded(stream, [&](LayerState &state) { return to_weights(state, *shape, dy, x, dw, BiasSide::kIn, dbias); });
}

ts_status matrix_product(void *stream, const ts_matmul_shape *shape, const float *a, const float *b, const float *bias,
                         float *c) {
  return guarded(stream, [&](LayerState &state) { return matmul(state, *shape, a, b, bias, c); });
}

constexpr LayerTable kTable = {.abi = TS_ABI_VERSION,
                               .open = open,
                               .close = close,
                               .conv2d_forward = conv2d_forward,
                               .conv2d_backward_data = conv2d_backward_data,
                               .conv2d_backward_weights = conv2d_backward_weights,
                               .conv_transpose2d_forward = conv_transpose2d_forward,
                               .conv_transpose2d_backward_data = conv_transpose2d_backward_data,
                               .conv_transpose2d_backward_weights = conv_transpose2d_backward_weights,
                               .matmul = matrix_product};

}  // namespace
}  // namespace tessera::cpu

// libtessera calls this once, before any stream opens layers. Null if the two were built for different interfaces.
extern "C" __attribute__((visibility("default"))) const tessera::cpu::LayerTable *ts_cpu_layers(uint32_t abi,
                                                                                                const ts_host *core) {
  if (abi != TS_ABI_VERSION) return nullptr;
  tessera::cpu::host = core;
  return &tessera::cpu::kTable;
}
