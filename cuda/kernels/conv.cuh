// Convolutions and transposed convolutions as implicit matrix products in NHWC: cases of product.cuh. The matrix of
// pixels and taps ("im2col") is never made; tiles of it are gathered from the image while they are copied.
//
// A convolution has two sides, `in` [B,H,W,C] and `out` [B,OH,OW,O], and weights [O,KH,KW,C/groups]. The maps are
//
//   layer         forward             by data             by weights
//   convolution   in -> out           out -> in           (in, out) -> w
//   transposed    out -> in           in -> out           (in, out) -> w
//
// A map between the sides is one product [pixels of the result, K] [K, channels of the result], K = taps x channels of
// the source (of a group). From in to out each pixel has all taps. From out to in with a stride, a pixel has only the
// taps that lead to it, which are the same for all pixels of one residue (row mod stride, column mod stride): each
// residue is a piece of the result with taps of its own, so that nothing is multiplied with zeros in between. All
// pieces run in one launch.
#pragma once

#include "kernels/divider.cuh"
#include "kernels/product.cuh"

namespace tessera::cuda {

// A point of the image, or a step from there to a tap: coordinates for the check against the border, and the place in
// memory.
struct Point {
  int64_t offset;
  int32_t y, x;
};
// Outside of every image, whatever is added. Coordinates are below 2^29 (backend/conv.cu).
constexpr int32_t kOutside = -(1 << 30);

// One side of a piece: rows or columns.
struct Axis {
  int count;           // pixels of the piece
  int begin, every;    // pixel i is row begin + every i of the result
  int offset, stride;  // its first tap lies at row offset + stride i of the source
  int step;            // from a tap to the next, in rows of the source; may be negative
  int taps;            // how many
  int tap, tap_every;  // tap j of the piece is row tap + tap_every j of the weights
};

struct ConvPiece {
  Axis y, x;
  Divider plane, width, taps;  // by the pixels of an image and of a row, and by the taps of a row
  int pixels;                  // of all images
  int first_block;
};

// 0 <= i < size
TS_DEVICE bool is_below(int i, int size) { return static_cast<unsigned>(i) < static_cast<unsigned>(size); }

// The side that is gathered from.
struct ConvSource {
  const float *data;
  int64_t image, row;  // elements
  int h, w, c;
  int channels;  // of a group
  Divider by_channels;

  // The pixel's first tap, in channel 0 of the group.
  TS_DEVICE Point pixel(const ConvPiece &piece, int pixel) const {
    int in_image, in_row;
    const int image_number = piece.plane.divide(pixel, &in_image);
    const int y = piece.y.offset + piece.y.stride * piece.width.divide(in_image, &in_row);
    const int x = piece.x.offset + piece.x.stride * in_row;
    return {image_number * image + y * row + int64_t{x} * c, y, x};
  }
  // From there to number k = (tap row, tap column, channel).
  TS_DEVICE Point tap(const ConvPiece &piece, int k) const {
    int channel, j;
    const int y = piece.y.step * piece.taps.divide(by_channels.divide(k, &channel), &j), x = piece.x.step * j;
    return {y * row + int64_t{x} * c + channel, y, x};
  }
  TS_DEVICE int taps(const ConvPiece &piece) const { return piece.y.taps * piece.x.taps * channels; }

  TS_DEVICE Place at(Point pixel, Point tap) const {
    if (!is_below(pixel.y + tap.y, h) || !is_below(pixel.x + tap.x, w)) return {data, false};
    return {data + pixel.offset + tap.offset, true};
  }
};

constexpr int kConvTable = 128;  // points of a block: of its rows or columns

// Rows are pixels, k are taps.
struct PixelRows {
  const ConvSource &source;
  const ConvPiece &piece;
  int group;  // first channel
  const Point *points;

  TS_DEVICE Point column(int k) const {
    if (!TS_GUARD(1, k < source.taps(piece))) return {0, kOutside, 0};
    Point tap = source.tap(piece, k);
    tap.offset += group;
    return tap;
  }
  TS_DEVICE Place place(Point tap, int i) const { return source.at(points[i], tap); }
};

// Rows are channels of the result, k are taps.
struct TapWeights {
  const ConvSource &source;
  const ConvPiece &piece;
  const float *w;  // of the group, from the block's first channel on
  int64_t stride_result, stride_source;
  int kernel_w, tap_stride;
  int channels;

  TS_DEVICE int64_t column(int k) const {
    if (!TS_GUARD(2, k < source.taps(piece))) return -1;
    int channel, j;
    const int i = piece.taps.divide(source.by_channels.divide(k, &channel), &j);
    const int64_t tap = int64_t{piece.y.tap + piece.y.tap_every * i} * kernel_w + piece.x.tap + piece.x.tap_every * j;
    return tap * tap_stride + channel * stride_source;
  }
  TS_DEVICE Place place(int64_t column, int i) const {
    if (column < 0 || i >= channels) return {w, false};
    return {w + column + i * stride_result, true};
  }
};

constexpr int kConvPieces = 16;  // of one launch

struct Conv {
  using Table = Point;
  static constexpr int kTableSize = kConvTable;

  ConvSource source;
  const float *w;
  int64_t stride_result, stride_source;  // of a weight by its channels
  int kernel_w, tap_stride;
  Copy copy_w;
  float *y;
  int64_t image, row;  // of the result
  int c, channels;     // of the result, and of a group of it
  int groups, tiles_n;
  int64_t group_weights;
  bool quads;
  ProductFinish finish;
  int pieces_count;
  ConvPiece pieces[kConvPieces];

  template <class Shape>
  class Block {
   public:
    TS_DEVICE Block(const Conv &p, Point *points) : p_(p), piece_(p.pieces[find_piece(p)]), points_(points) {
      const int block = static_cast<int>(blockIdx.x) - piece_.first_block;
      const int of_pixels = block / p.tiles_n;
      group_ = of_pixels % p.groups;
      m_ = of_pixels / p.groups * Shape::kM;
      n_ = block % p.tiles_n * Shape::kN;
      for (int i = static_cast<int>(threadIdx.x); i < Shape::kM; i += Shape::kThreads)
        points[i] = TS_GUARD(3, m_ + i < piece_.pixels) ? p.source.pixel(piece_, m_ + i) : Point{0, kOutside, 0};
    }

    TS_DEVICE int steps() const { return ceil_div(p_.source.taps(piece_), kDepth); }

    template <int kPitch>
    TS_DEVICE void copy_left(int k, float *tile) const {
      const PixelRows rows = {p_.source, piece_, group_ * p_.source.channels, points_};
      copy_along_k<Shape::kM, kPitch, Shape::kThreads>(rows, k, tile);
    }
    template <int kPitch>
    TS_DEVICE void copy_right(int k, float *tile) const {
      const float *w = p_.w + group_ * p_.group_weights + n_ * p_.stride_result;
      const TapWeights weights = {p_.source,     piece_,          w, p_.stride_result, p_.stride_source, p_.kernel_w,
                                  p_.tap_stride, p_.channels - n_};
      copy_tile<Shape::kN, kPitch, Shape::kThreads>(weights, p_.copy_w, k, tile);
    }

    TS_DEVICE ResultRow row(int row) const {
      const int first = group_ * p_.channels + n_;
      float *y = nullptr;
      if (TS_GUARD(4, m_ + row < piece_.pixels)) {
        int in_image, j;
        const int image = piece_.plane.divide(m_ + row, &in_image), i = piece_.width.divide(in_image, &j);
        y = p_.y + image * p_.image + (piece_.y.begin + piece_.y.every * i) * p_.row +
            int64_t{piece_.x.begin + piece_.x.every * j} * p_.c + first;
      }
      return {y, p_.channels - n_, first, p_.quads, p_.finish};
    }

   private:
    // The last piece that begins at or before this block.
    TS_DEVICE static int find_piece(const Conv &p) {
      int piece = 0;
      while (piece + 1 < p.pieces_count && p.pieces[piece + 1].first_block <= static_cast<int>(blockIdx.x)) piece++;
      return piece;
    }

    const Conv &p_;
    const ConvPiece &piece_;
    const Point *points_;
    int group_, m_, n_;
  };
};

}  // namespace tessera::cuda
