#include <algorithm>

#include "backend/column_sums.h"
#include "backend/conv.h"
#include "backend/ops.h"
#include "backend/product.h"
#include "kernels/conv_weights.cuh"

namespace tessera::cuda {
namespace {

template <class Shape>
ts_status launch(Stream *s, ConvWeights p, int64_t columns, float *dw) {
  p.tiles_m = static_cast<int>(ceil_div(p.channels, Shape::kM));
  p.tiles_n = static_cast<int>(ceil_div<int64_t>(columns, Shape::kN));
  const int64_t tiles = int64_t{p.tiles_m} * p.tiles_n * p.groups, size = p.o * columns;
  p.part = static_cast<int>(split(p.piece.pixels, tiles));
  const int64_t parts = p.piece.pixels > p.part ? ceil_div(p.piece.pixels, p.part) : 1;
  if (parts > 1) {
    TS_TRY(s->reserve(static_cast<size_t>(parts * size) * sizeof(float)));
    p.dw = s->scratch.as<float>();
  } else {
    p.dw = dw;
  }
  p.quads = columns % 4 == 0 && aligned_16(p.dw);
  TS_TRY(launch_product<Shape>(s, "conv_weights", "conv_weights_tf32", p, tiles * parts));
  if (parts == 1) return TS_OK;
  return sum_columns(s, "conv_weights", MatrixElements{p.dw, size}, AsItIs(), parts, size, nullptr, {dw});
}

// dw from both sides, and dbias (may be null) from the one whose pixels are the layer's gradient.
ts_status to_weights(void *stream, const ts_conv_shape &c, const float *in, const float *out, float *dw,
                     const float *gradient, int64_t pixels, int64_t channels, float *dbias) {
  Stream *s = Stream::of(stream);
  TS_TRY(check_shape(s, c));
  ConvWeights p{};
  p.in = conv_source(in, c.in_h, c.in_w, c.in_c, c.groups);
  p.piece = whole_output(c);
  complete(&p.piece, c.batch);
  p.out = out;
  p.o = static_cast<int>(c.out_c);
  p.channels = static_cast<int>(c.out_c / c.groups);
  p.groups = static_cast<int>(c.groups);
  p.copy_out = p.channels % 4 == 0 && aligned_16(out) ? Copy::kQuadsAlongI : Copy::kAlongI;
  p.copy_in = p.in.channels % 4 == 0 && aligned_16(in) ? Copy::kQuadsAlongI : Copy::kAlongI;
  const int64_t columns = c.kernel_h * c.kernel_w * p.in.channels;
  TS_TRY(p.channels <= Wide32::kM   ? launch<Wide32>(s, p, columns, dw)
         : p.channels <= Wide64::kM ? launch<Wide64>(s, p, columns, dw)
                                    : launch<Square128>(s, p, columns, dw));
  if (!dbias) return TS_OK;
  TS_TRY(s->reserve(static_cast<size_t>(column_sums_scratch(pixels, channels, 1)) * sizeof(float)));
  return sum_columns(s, "bias_gradient", MatrixElements{gradient, channels}, AsItIs(), pixels, channels,
                     s->scratch.as<float>(), {dbias});
}

}  // namespace

ts_status conv2d_backward_weights(void *stream, const ts_conv_shape *shape, const float *x, const float *dy, float *dw,
                                  float *dbias) {
  return to_weights(stream, *shape, x, dy, dw, dy, shape->batch * shape->out_h * shape->out_w, shape->out_c, dbias);
}

ts_status conv_transpose2d_backward_weights(void *stream, const ts_conv_shape *shape, const float *x, const float *dy,
                                            float *dw, float *dbias) {
  return to_weights(stream, *shape, dy, x, dw, dy, shape->batch * shape->in_h * shape->in_w, shape->in_c, dbias);
}

}  // namespace tessera::cuda
