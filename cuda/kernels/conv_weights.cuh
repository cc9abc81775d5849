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
  int64_t group;
  const Point *points;
  int first, last;  // pixels

  TS_DEVICE Point column(int k) const {
    if (!TS_GUARD(1, first + k < last)) return {0, kOutside, 0};
    Point pixel = source.pixel(piece, first + k);
    pixel.offset += group;
    return pixel;
  }
  TS_DEVICE Run run(Point pixel, int i) const { return source.at(pixel, points[i]); }
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
      last_ = p.piece.pixels - first_ < p.part ? p.piece.pixels : first_ + p.part;
      taps_ = p.in.taps(p.piece);
      dw_ = p.dw + (int64_t{rest / p.groups} * p.o + int64_t{group_} * p.channels + m_) * taps_ + n_;
      for (int i = static_cast<int>(threadIdx.x); i < Shape::kN; i += Shape::kThreads)
        points[i] = TS_GUARD(2, n_ + i < taps_) ? p.in.tap(p.piece, n_ + i) : Point{0, kOutside, 0};
    }

    TS_DEVICE int steps() const { return ceil_div(last_ - first_, kDepth); }

    template <int kPitch>
    TS_DEVICE void copy_left(int k, float *tile) const {
      const float *first = p_.out + int64_t{first_} * p_.o + group_ * p_.channels + m_;
      const MatrixSource out = {first, 1, p_.o, p_.channels - m_, last_ - first_};
      copy_along_i<Shape::kM, kPitch, Shape::kThreads>(out, p_.copy_out == Copy::kQuadsAlongI, k, tile);
    }
    template <int kPitch>
    TS_DEVICE void copy_right(int k, float *tile) const {
      const TapRows taps = {p_.in, p_.piece, int64_t{group_} * p_.in.channels, points_, first_, last_};
      copy_along_i<Shape::kN, kPitch, Shape::kThreads>(taps, p_.copy_in == Copy::kQuadsAlongI, k, tile);
    }

    TS_DEVICE ResultRow row(int row) const {
      float *y = TS_GUARD(3, m_ + row < p_.channels) ? dw_ + int64_t{row} * taps_ : nullptr;
      return {y, taps_ - n_, n_, p_.quads, {nullptr, false, false}};
    }

   private:
    const ConvWeights &p_;
    const Point *points_;
    int m_, n_, group_, first_, last_, taps_;
    float *dw_;
  };
};

}  // namespace tessera::cuda
