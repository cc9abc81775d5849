// The gradient of a convolution by its weights, as a case of product.cuh: for each group the product [O/groups, pixels]
// [pixels, taps x C/groups] of both sides of the convolution, which is dw as it lies in memory. k runs over the pixels
// of all images and is split, since the result is small; conv.cuh has the points.
#pragma once

#include "kernels/conv.cuh"

namespace tessera::cuda {

// Rows are taps, k are pixels.
struct TapRows {
  const ConvSource &source;
  const ConvPiece &piece;
  int group;  // first channel
  const Point *points;
  int first, pixels;

  TS_DEVICE Point column(int k) const {
    if (!TS_GUARD(1, k < pixels)) return {0, kOutside, 0};
    Point pixel = source.pixel(piece, first + k);
    pixel.offset += group;
    return pixel;
  }
  TS_DEVICE Place place(Point pixel, int i) const { return source.at(pixel, points[i]); }
};

struct ConvWeights {
  using Table = Point;
  static constexpr int kTableSize = kConvTable;

  ConvSource in;
  ConvPiece piece;   // all pixels of out, with all taps
  const float *out;  // [pixels, O]
  int o, channels;   // O, and that of a group
  Copy copy_out, copy_in;
  int tiles_m, tiles_n, groups;
  int part;   // pixels of a part
  float *dw;  // [parts, O, taps x C/groups]
  bool quads;

  template <class Shape>
  class Block {
   public:
    TS_DEVICE Block(const ConvWeights &p, Point *points) : p_(p), points_(points) {
      int rest = static_cast<int>(blockIdx.x);
      m_ = rest % p.tiles_m * Shape::kM;
      rest /= p.tiles_m;
      n_ = rest % p.tiles_n * Shape::kN;
      rest /= p.tiles_n;
      group_ = rest % p.groups;
      first_ = rest / p.groups * p.part;
      for (int i = static_cast<int>(threadIdx.x); i < Shape::kN; i += Shape::kThreads)
        points[i] = p.in.tap(p.piece, n_ + i);  // past the last tap too: a column that is not stored
    }

    TS_DEVICE int steps() const { return ceil_div(pixels(), kDepth); }

    template <int kPitch>
    TS_DEVICE void copy_left(int k, float *tile) const {
      const float *first = p_.out + int64_t{first_} * p_.o + group_ * p_.channels + m_;
      const MatrixSource out = {first, 1, p_.o, p_.channels - m_, pixels()};
      copy_along_i<Shape::kM, kPitch, Shape::kThreads>(out, p_.copy_out == Copy::kQuadsAlongI, k, tile);
    }
    template <int kPitch>
    TS_DEVICE void copy_right(int k, float *tile) const {
      const TapRows rows = {p_.in, p_.piece, group_ * p_.in.channels, points_, first_, pixels()};
      copy_along_i<Shape::kN, kPitch, Shape::kThreads>(rows, p_.copy_in == Copy::kQuadsAlongI, k, tile);
    }

    TS_DEVICE ResultRow row(int row) const {
      const int64_t channel = int64_t{first_ / p_.part} * p_.o + group_ * p_.channels + m_ + row;
      float *y = TS_GUARD(2, m_ + row < p_.channels) ? p_.dw + channel * taps() + n_ : nullptr;
      return {y, taps() - n_, n_, p_.quads, {nullptr, false, false}};
    }

   private:
    // Of the block's part.
    TS_DEVICE int pixels() const {
      const int left = p_.piece.pixels - first_;
      return left < p_.part ? left : p_.part;
    }
    TS_DEVICE int taps() const { return p_.in.taps(p_.piece); }

    const ConvWeights &p_;
    const Point *points_;
    int m_, n_, group_, first_;  // the last one a pixel
  };
};

}  // namespace tessera::cuda
