// matmul: c [M, N] = op(a) op(b), as a case of product.cuh.
#pragma once

#include "kernels/product.cuh"

namespace tessera::cuda {

struct Matmul {
  using Table = float;  // none
  static constexpr int kTableSize = 0;

  MatrixSource a, b;  // [M, K] and [N, K], whole
  Copy copy_a, copy_b;
  int64_t m, n;
  int tiles_n, tiles;  // tiles of the result
  int part;            // of k: block (t + tiles p) has the k from p part on, and its own result
  float *c;            // [parts, M, N]
  bool quads;
  ProductFinish finish;

  template <class Shape>
  class Block {
   public:
    TS_DEVICE Block(const Matmul &p, float *) : p_(p), a_(p.a), b_(p.b) {
      const int tile = static_cast<int>(blockIdx.x) % p.tiles;
      const int64_t part = static_cast<int>(blockIdx.x) / p.tiles, k = part * p.part;
      m_ = tile / p.tiles_n * Shape::kM;
      n_ = tile % p.tiles_n * Shape::kN;
      c_ = p.c + part * p.m * p.n;
      begin(a_, m_, k, p.part);
      begin(b_, n_, k, p.part);
    }

    TS_DEVICE int steps() const { return ceil_div(a_.size_k, kDepth); }

    template <int kPitch>
    TS_DEVICE void copy_left(int k, float *tile) const {
      copy_tile<Shape::kM, kPitch, Shape::kThreads>(a_, p_.copy_a, k, tile);
    }
    template <int kPitch>
    TS_DEVICE void copy_right(int k, float *tile) const {
      copy_tile<Shape::kN, kPitch, Shape::kThreads>(b_, p_.copy_b, k, tile);
    }

    TS_DEVICE ResultRow row(int row) const {
      const int64_t m = m_ + row;
      float *y = TS_GUARD(1, m < p_.m) ? c_ + m * p_.n + n_ : nullptr;
      return {y, static_cast<int>(p_.n - n_), n_, p_.quads, p_.finish};
    }

   private:
    TS_DEVICE static void begin(MatrixSource &source, int64_t i, int64_t k, int part) {
      source.data += i * source.stride_i + k * source.stride_k;
      source.size_i -= static_cast<int>(i);
      source.size_k -= static_cast<int>(k);
      if (source.size_k > part) source.size_k = part;
    }

    const Matmul &p_;
    MatrixSource a_, b_;
    int64_t m_;
    int n_;
    float *c_;
  };
};

}  // namespace tessera::cuda
