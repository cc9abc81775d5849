#include "cpu/nn/pointwise.h"

#include <algorithm>

#include "cpu/nn/direct.h"
#include "cpu/nn/direct_avx512.h"
#include "cpu/nn/parallel.h"
#include "cpu/nn/prefetch.h"

namespace tessera::cpu::pointwise {
namespace {

constexpr int64_t kLanes = 16;
constexpr int64_t kChunk = 12;  // pixels that the weights pass by at once
constexpr int64_t kAhead = 2;   // chunks from the one at work to the one whose memory is asked for meanwhile

// result [pixels, width] = act(from [pixels, depth] w [depth, width] + bias)
void multiply(int64_t pixels, int threads, const float *from, int64_t depth, const float *w, int64_t width,
              Epilogue epilogue, float *result) {
  const int64_t chunks = (pixels + kChunk - 1) / kChunk;
  parallel(threads, [&](int t) {
    for (int64_t chunk = chunks * t / threads; chunk < chunks * (t + 1) / threads; chunk++) {
      const int64_t first = chunk * kChunk;
      const int64_t next = first + kAhead * kChunk;
      if (next + kChunk <= pixels) {
        prefetch_to_read(from + next * depth, kChunk * depth);
        prefetch_to_write(result + next * width, kChunk * width);
      }
      direct::products({.a = from + first * depth,
                        .step = depth,
                        .segments = 1,
                        .segment = 0,
                        .depth = depth,
                        .w = w,
                        .width = width,
                        .bias = epilogue.bias,
                        .relu = epilogue.relu,
                        .out = result + first * width,
                        .out_step = width,
                        .columns = width},
                       std::min(kChunk, pixels - first));
    }
  });
}

}  // namespace

bool suits(const ts_conv_shape &s) {
  static const bool available = direct::has_avx512();
  // Vectors are whole, and the weights stay in a second-level cache.
  return available && is_pixelwise(s) && s.in_c % kLanes == 0 && s.out_c % kLanes == 0 && s.in_c * s.out_c <= (1 << 17);
}

size_t to_out_workspace(const ts_conv_shape &s) { return sizeof(float) * static_cast<size_t>(s.in_c * s.out_c); }

void to_out(const ts_conv_shape &s, int threads, const float *in, const float *w, Epilogue epilogue, float *out,
            void *workspace) {
  auto *by_channel = static_cast<float *>(workspace);  // [in_c, out_c]
  const int64_t vectors = s.out_c / kLanes;
  parallel(threads, [&](int t) {
    for (int64_t first = vectors * t / threads * kLanes; first < vectors * (t + 1) / threads * kLanes; first += kLanes)
      for (int64_t i = 0; i < s.in_c; i++)
        for (int64_t f = first; f < first + kLanes; f++) by_channel[i * s.out_c + f] = w[f * s.in_c + i];
  });
  multiply(s.batch * s.out_h * s.out_w, threads, in, s.in_c, by_channel, s.out_c, epilogue, out);
}

void to_in(const ts_conv_shape &s, int threads, const float *out, const float *w, Epilogue epilogue, float *in) {
  multiply(s.batch * s.in_h * s.in_w, threads, out, s.out_c, w, s.in_c, epilogue, in);
}

}  // namespace tessera::cpu::pointwise
