// An image of a convolution's `in` side inside its padding: no tap of the kernel lies outside, and in a row of the
// frame the KW C numbers under one row of the kernel are contiguous, as they are in the weights.
#pragma once

#include <algorithm>
#include <cstdint>
#include <cstring>

#include "core/backend.h"

namespace tessera::cpu::direct {

struct Frame {
  explicit Frame(const ts_conv_shape &s)
      : row(((s.out_w - 1) * s.stride_w + s.kernel_w) * s.in_c),
        floats(((s.out_h - 1) * s.stride_h + s.kernel_h) * row),
        step(s.stride_w * s.in_c),
        out_row(s.stride_h * row),
        top(s.pad_top),
        left(s.pad_left * s.in_c),
        // The last rows and columns of the image may be under no tap.
        rows(std::clamp<int64_t>(floats / row - top, 0, s.in_h)),
        width(std::clamp<int64_t>(row - left, 0, s.in_w * s.in_c)),
        image_row(s.in_w * s.in_c) {}

  void clear(float *frame) const { std::fill_n(frame, floats, 0.0f); }

  // Puts an image into a frame whose border is zero.
  void load(const float *image, float *frame) const {
    for (int64_t y = 0; y < rows; y++)
      std::memcpy(frame + (y + top) * row + left, image + y * image_row, static_cast<size_t>(width) * sizeof(float));
  }

  int64_t row;                     // floats of a row
  int64_t floats;                  // of the frame
  int64_t step;                    // floats from one output pixel's taps to the next one's
  int64_t out_row;                 // floats from one output row's taps to the next one's
  int64_t top, left, rows, width;  // where the image lies, in rows and floats
  int64_t image_row;
};

}  // namespace tessera::cpu::direct
