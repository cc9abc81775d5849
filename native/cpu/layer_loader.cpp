#include "cpu/layer_loader.h"

#include <cstdio>
#include <mutex>

#include "core/plugin.h"
#include "cpu/kernels/attention.h"
#include "cpu/kernels/kernels.h"
#include "cpu/kernels/panel_matmul.h"

namespace tessera::cpu {
namespace {

constexpr const char *kLibrary = "libtessera_cpu_nn.so";

std::once_flag opened;
const LayerTable *table = nullptr;
char reason[400] = "";

void open_table() {
  void *function = open_beside(kLibrary, "ts_cpu_layers",
                               "it is built with libtessera, unless TESSERA_CPU_LAYERS is off", reason, sizeof reason);
  if (!function) return;
  table = reinterpret_cast<LayerTableFn>(function)(TS_ABI_VERSION, host);
  if (!table) snprintf(reason, sizeof reason, "%s was built for another version than %d", kLibrary, TS_ABI_VERSION);
}

// The table, with the stream's layer state made; null with the message in the stream.
const LayerTable *layers_of(Stream *stream) {
  std::call_once(opened, open_table);
  if (!table) {
    host->fail(stream->report, TS_UNAVAILABLE, "the layers of device cpu cannot be had: %s", reason);
    return nullptr;
  }
  if (!stream->layers && !(stream->layers = table->open(stream))) return nullptr;
  return table;
}

// Calls one function of the table.
template <auto Member, class... Arguments>
ts_status pass(void *stream, Arguments... arguments) {
  auto *s = static_cast<Stream *>(stream);
  const LayerTable *layers = layers_of(s);
  if (!layers) return static_cast<ts_status>(s->report->error.status);
  return (layers->*Member)(stream, arguments...);
}

}  // namespace

void close_layers(Stream *stream) {
  if (stream->layers) table->close(stream->layers);
  stream->layers = nullptr;
}

ts_status conv2d_forward(void *stream, const ts_conv_shape *shape, const float *x, const float *w, const float *bias,
                         float *y) {
  return pass<&LayerTable::conv2d_forward>(stream, shape, x, w, bias, y);
}

ts_status conv2d_backward_data(void *stream, const ts_conv_shape *shape, const float *dy, const float *w, float *dx) {
  return pass<&LayerTable::conv2d_backward_data>(stream, shape, dy, w, dx);
}

ts_status conv2d_backward_weights(void *stream, const ts_conv_shape *shape, const float *x, const float *dy, float *dw,
                                  float *dbias) {
  return pass<&LayerTable::conv2d_backward_weights>(stream, shape, x, dy, dw, dbias);
}

ts_status conv_transpose2d_forward(void *stream, const ts_conv_shape *shape, const float *x, const float *w,
                                   const float *bias, float *y) {
  return pass<&LayerTable::conv_transpose2d_forward>(stream, shape, x, w, bias, y);
}

ts_status conv_transpose2d_backward_data(void *stream, const ts_conv_shape *shape, const float *dy, const float *w,
                                         float *dx) {
  return pass<&LayerTable::conv_transpose2d_backward_data>(stream, shape, dy, w, dx);
}

ts_status conv_transpose2d_backward_weights(void *stream, const ts_conv_shape *shape, const float *x, const float *dy,
                                            float *dw, float *dbias) {
  return pass<&LayerTable::conv_transpose2d_backward_weights>(stream, shape, x, dy, dw, dbias);
}

ts_status matmul(void *stream, const ts_matmul_shape *shape, const float *a, const float *b, const float *bias,
                 float *c) {
  if (shape->sequential) return sequential_matmul(stream, shape, a, b, bias, c);
  auto *s = static_cast<Stream *>(stream);
  const Kernels *set = kernels(s);
  if (!set) return TS_UNAVAILABLE;
  if (panels_suit(*set, *shape)) return panel_matmul(*set, s, *shape, a, b, bias, c);
  return pass<&LayerTable::matmul>(stream, shape, a, b, bias, c);
}

}  // namespace tessera::cpu
