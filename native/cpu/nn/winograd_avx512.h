// The transforms of winograd.h in AVX-512, 16 channels at a time. Read by a file compiled for it: plain data only, no
// inline functions.
//
// A transformed tile has 16 places; those of one place and all channels are contiguous, and the next place's are
// `place` floats further. Where channels are no multiple of 16, transforms of pixels write zeros up to the next one.
#pragma once

#include <cstdint>

namespace tessera::cpu::winograd {

// B^T d B. pixels: the 4x4 under the tile, row by row; each [channels].
void transform_pixels(const float *const pixels[16], int64_t channels, float *to, int64_t place);

// A dy A^T. pixels: the 2x2 of the tile.
void transform_gradient(const float *const pixels[4], int64_t channels, float *to, int64_t place);

// act(A^T m A + bias). bias [channels] may be null; so may be pixels, which are then left out.
void finish_tile(const float *m, int64_t place, int64_t channels, const float *bias, bool relu, float *const pixels[4]);

// G g G^T of 16 x 16 kernels, for a product over `k` that gives `n`: kernel (k, n)'s tap i is w[k k_step + n n_step +
// i tap_step]. One of k_step and n_step is 1. `rows` k and `columns` n are there, at most 16; columns beyond are zeros.
struct Kernels {
  const float *w;
  int64_t k_step, n_step, tap_step;
  int64_t rows, columns;
  float *to;  // [rows, width] at each place
  int64_t width, place;
};
void transform_kernels(const Kernels &kernels);

// G^T s G, where s is the sum of `parts` arrays in order, the next one `part` floats further: the gradient's 9 taps,
// `channels` apart, each [channels].
void finish_weights(const float *s, int64_t parts, int64_t part, int64_t place, int64_t channels, float *dw);

}  // namespace tessera::cpu::winograd
