// One position of a masked convolution. An output is one chain of fma over taps and channels, so its bits do not depend
// on how many images there are: 2 operations a weight and image, bound by arithmetic from some ten images on, by the
// weights' bytes below.
#include "cpu/prior/conv_at.h"

#include <cstdlib>
#include <cstring>

#include "cpu/math/parallel.h"
#include "cpu/prior/prior.h"
#include "cpu/prior/taps.h"
#if defined(__x86_64__)
#include "cpu/vq/features.h"
#endif

namespace tessera::cpu {
namespace {

// Multiply-adds that count as an element of for_range. Calls follow each other closely, so a second thread is woken
// only for 4 million of them, some 70 us of work: sampling gives its threads images of their own instead.
constexpr int64_t kMacsOfGrain = 256;

// Any processor: its fma is exact too, in software if need be.
TS_CLONES void one_image(const ConvAt &s, int64_t image) {
  float *__restrict y = s.y + image * s.out_c;
  for (int64_t o = 0; o < s.out_c; o++) y[o] = s.bias ? s.bias[o] : 0.0f;
  for (int64_t run = 0; run < s.run_count; run++) {
    const float *x = s.runs[run].x + image * s.image_step, *w = s.runs[run].w;
    for (int64_t i = 0; i < s.depth; i++)
      for (int64_t o = 0; o < s.out_c; o++) y[o] = __builtin_fmaf(x[i], w[i * s.out_c + o], y[o]);
  }
  if (s.relu)
    for (int64_t o = 0; o < s.out_c; o++) y[o] = y[o] > 0.0f || y[o] != y[o] ? y[o] : 0.0f;
}

bool avx512() {
#if defined(__x86_64__)
  // TESSERA_KERNEL=portable, for tests, takes what any processor has.
  static const bool has = [] {
    const char *forced = std::getenv("TESSERA_KERNEL");
    return vq::has_avx512() && !(forced && std::strcmp(forced, "portable") == 0);
  }();
  return has;
#else
  return false;
#endif
}

}  // namespace

ts_status conv2d_at(void *stream, const ts_masked_conv_shape *shape, const float *x, const float *w, const float *bias,
                    float *y) {
  auto *s = static_cast<Stream *>(stream);
  if (shape->batch == 0) return TS_OK;
  auto *runs = static_cast<ConvRun *>(s->scratch.reserve(static_cast<size_t>(shape->taps) * sizeof(ConvRun)));
  if (!runs) return host->fail(s->report, TS_OUT_OF_MEMORY, "no memory for a list of taps");
  ConvAt at = {.runs = runs,
               .run_count = 0,
               .depth = shape->in_c,
               .image_step = shape->in_c,
               .out_c = shape->out_c,
               .bias = bias,
               .relu = shape->activation == TS_ACTIVATION_RELU,
               .y = y};
  for_taps(*shape, shape->row, shape->column, [&](int64_t tap, int64_t row, int64_t column, int64_t count) {
    for (int64_t j = 0; j < count; j++)
      runs[at.run_count++] = {x + (row * shape->width + column + j) * shape->batch * shape->in_c,
                              w + (tap + j) * shape->in_c * shape->out_c};
  });
  const int64_t macs = (at.run_count * at.depth + 1) * at.out_c;  // of an image
  const int64_t work = std::max<int64_t>(1, macs / kMacsOfGrain);
  for_range(s, shape->batch * work, kConvAtImages * work, [&](int64_t begin, int64_t end) {
#if defined(__x86_64__)
    if (avx512()) return conv_at_avx512(at, begin / work, end / work);
#endif
    for (int64_t image = begin / work; image < end / work; image++) one_image(at, image);
  });
  return TS_OK;
}

}  // namespace tessera::cpu
