// What conv_at.cpp and its file for AVX-512 share: plain data only, no inline functions.
#pragma once

#include <cstdint>

namespace tessera::cpu {

// One run of taps: `depth` inputs of an image in one piece, and their weights.
struct ConvRun {
  const float *x;  // of image 0; image b's lie b * image_step further
  const float *w;  // [depth, out_c]
};

// y[b][o] = act(bias[o] + the runs' chains of fma), for images and channels in parts.
struct ConvAt {
  const ConvRun *runs;
  int64_t run_count;
  int64_t depth;       // of a run, channels of one tap
  int64_t image_step;  // channels of one tap
  int64_t out_c;
  const float *bias;  // or null
  bool relu;
  float *y;  // [images, out_c]
};

// Images [begin, end).
void conv_at_avx512(const ConvAt &shape, int64_t begin, int64_t end);

// Images that one turn of conv_at_avx512 takes together.
constexpr int64_t kConvAtImages = 6;

}  // namespace tessera::cpu
