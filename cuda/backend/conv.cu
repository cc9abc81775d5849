#include <algorithm>
#include <numeric>

#include "backend/conv.h"
#include "backend/ops.h"
#include "backend/product.h"

namespace tessera::cuda {

ConvSource conv_source(const float *data, int64_t h, int64_t w, int64_t c, int64_t groups) {
  return {data,
          h * w * c,
          w * c,
          static_cast<int>(h),
          static_cast<int>(w),
          static_cast<int>(c),
          static_cast<int>(c / groups),
          Divider(c / groups)};
}

void complete(ConvPiece *piece, int64_t batch) {
  const int64_t plane = int64_t{piece->y.count} * piece->x.count;
  piece->plane = Divider(plane);
  piece->width = Divider(piece->x.count);
  piece->taps = Divider(std::max(piece->x.taps, 1));
  piece->pixels = static_cast<int>(batch * plane);
}

ts_status check_shape(Stream *s, const ts_conv_shape &c) {
  constexpr int64_t kSide = 1 << 29, kCount = 1 << 30;
  const int64_t taps = c.kernel_h * c.kernel_w;
  const bool fits = std::max({c.in_h + c.pad_top + c.pad_bottom, c.in_w + c.pad_left + c.pad_right}) < kSide &&
                    std::max(c.batch, int64_t{1}) * std::max(c.in_h * c.in_w, c.out_h * c.out_w) < kCount &&
                    taps * std::max(c.in_c, c.out_c) / c.groups < kCount;
  if (fits) return TS_OK;
  return host->fail(s->report, TS_INVALID_ARGUMENT,
                    "a convolution on a GPU must have less than 2^29 padded rows and columns, 2^30 pixels a batch and "
                    "2^30 weights a channel of a group");
}

namespace {

Axis output_axis(int64_t out, int64_t kernel, int64_t stride, int64_t dilation, int64_t pad) {
  return {static_cast<int>(out),    0, 1, static_cast<int>(-pad), static_cast<int>(stride), static_cast<int>(dilation),
          static_cast<int>(kernel), 0, 1};
}

// The rows r, r + stride ... of the `in` side. Tap k leads from row i to row (i + pad - dilation k) / stride of `out`,
// if that is a whole number: for every (stride / gcd(stride, dilation))th k, if for any.
Axis input_axis(int64_t r, int64_t in, int64_t kernel, int64_t stride, int64_t dilation, int64_t pad) {
  const int64_t common = std::gcd(stride, dilation), every = stride / common;
  int64_t tap = 0;
  while (tap < every && tap < kernel && (r + pad - dilation * tap) % stride != 0) tap++;
  const int64_t taps = tap < every && tap < kernel ? ceil_div(kernel - tap, every) : 0;
  const int64_t offset = taps > 0 ? (r + pad - dilation * tap) / stride : 0;
  return {static_cast<int>(ceil_div(in - r, stride)),
          static_cast<int>(r),
          static_cast<int>(stride),
          static_cast<int>(offset),
          1,
          static_cast<int>(-dilation / common),
          static_cast<int>(taps),
          static_cast<int>(tap),
          static_cast<int>(every)};
}

// piece_of(i) is piece i of the result.
template <class Shape, class PieceOf>
ts_status launch(Stream *s, Conv p, int64_t batch, int64_t pieces, const PieceOf &piece_of) {
  p.tiles_n = static_cast<int>(ceil_div(p.channels, Shape::kN));
  for (int64_t first = 0; first < pieces; first += kConvPieces) {
    int64_t blocks = 0;
    p.pieces_count = static_cast<int>(std::min<int64_t>(pieces - first, kConvPieces));
    for (int i = 0; i < p.pieces_count; i++) {
      ConvPiece &piece = p.pieces[i] = piece_of(first + i);
      complete(&piece, batch);
      piece.first_block = static_cast<int>(blocks);
      blocks += int64_t{ceil_div(piece.pixels, Shape::kM)} * p.groups * p.tiles_n;
    }
    TS_TRY(launch_product<Shape>(s, "conv", "conv_tf32", p, blocks));
  }
  return TS_OK;
}

template <class PieceOf>
ts_status launch(Stream *s, const Conv &p, int64_t batch, int64_t pieces, const PieceOf &piece_of) {
  if (batch == 0) return TS_OK;
  if (p.channels <= Tall32::kN) return launch<Tall32>(s, p, batch, pieces, piece_of);
  if (p.channels <= Tall64::kN) return launch<Tall64>(s, p, batch, pieces, piece_of);
  return launch<Square128>(s, p, batch, pieces, piece_of);
}

// What both maps have in common, but for the strides of the weights.
Conv begin(const ts_conv_shape &c, const float *w, const float *bias, float *y, int64_t result_h, int64_t result_w,
           int64_t result_c) {
  Conv p{};
  p.w = w;
  p.kernel_w = static_cast<int>(c.kernel_w);
  p.tap_stride = static_cast<int>(c.in_c / c.groups);
  p.y = y;
  p.image = result_h * result_w * result_c;
  p.row = result_w * result_c;
  p.c = static_cast<int>(result_c);
  p.channels = static_cast<int>(result_c / c.groups);
  p.groups = static_cast<int>(c.groups);
  p.group_weights = c.out_c / c.groups * c.kernel_h * c.kernel_w * (c.in_c / c.groups);
  p.quads = p.channels % 4 == 0 && aligned_16(y);
  p.finish = {bias, c.activation == TS_ACTIVATION_RELU, false};
  return p;
}

ts_status to_out(void *stream, const ts_conv_shape &c, const float *in, const float *w, const float *bias, float *out) {
  Stream *s = Stream::of(stream);
  TS_TRY(check_shape(s, c));
  Conv p = begin(c, w, bias, out, c.out_h, c.out_w, c.out_c);
  p.source = conv_source(in, c.in_h, c.in_w, c.in_c, c.groups);
  p.stride_result = c.kernel_h * c.kernel_w * (c.in_c / c.groups);
  p.stride_source = 1;
  p.copy_w = Copy::kAlongK;
  return launch(s, p, c.batch, 1, [&](int64_t) { return whole_output(c); });
}

ts_status to_in(void *stream, const ts_conv_shape &c, const float *out, const float *w, const float *bias, float *in) {
  Stream *s = Stream::of(stream);
  TS_TRY(check_shape(s, c));
  Conv p = begin(c, w, bias, in, c.in_h, c.in_w, c.in_c);
  p.source = conv_source(out, c.out_h, c.out_w, c.out_c, c.groups);
  p.stride_result = 1;
  p.stride_source = c.kernel_h * c.kernel_w * (c.in_c / c.groups);
  p.copy_w = p.channels % 4 == 0 && aligned_16(w) ? Copy::kQuadsAlongI : Copy::kAlongI;
  const int64_t rows = std::min(c.stride_h, c.in_h), columns = std::min(c.stride_w, c.in_w);
  return launch(s, p, c.batch, rows * columns, [&](int64_t i) {
    ConvPiece piece{};
    piece.y = input_axis(i / columns, c.in_h, c.kernel_h, c.stride_h, c.dilation_h, c.pad_top);
    piece.x = input_axis(i % columns, c.in_w, c.kernel_w, c.stride_w, c.dilation_w, c.pad_left);
    return piece;
  });
}

}  // namespace

ConvPiece whole_output(const ts_conv_shape &c) {
  ConvPiece piece{};
  piece.y = output_axis(c.out_h, c.kernel_h, c.stride_h, c.dilation_h, c.pad_top);
  piece.x = output_axis(c.out_w, c.kernel_w, c.stride_w, c.dilation_w, c.pad_left);
  return piece;
}

ts_status conv2d_forward(void *stream, const ts_conv_shape *shape, const float *x, const float *w, const float *bias,
                         float *y) {
  return to_out(stream, *shape, x, w, bias, y);
}

ts_status conv2d_backward_data(void *stream, const ts_conv_shape *shape, const float *dy, const float *w, float *dx) {
  return to_in(stream, *shape, dy, w, nullptr, dx);
}

ts_status conv_transpose2d_forward(void *stream, const ts_conv_shape *shape, const float *x, const float *w,
                                   const float *bias, float *y) {
  return to_in(stream, *shape, x, w, bias, y);
}

ts_status conv_transpose2d_backward_data(void *stream, const ts_conv_shape *shape, const float *dy, const float *w,
                                         float *dx) {
  return to_out(stream, *shape, dy, w, nullptr, dx);
}

}  // namespace tessera::cuda
