// Convolutions as direct loops, in the type that is asked for: double is the reference, float the plain formula whose
// error the kernels' is compared with. test_nn_reference.cpp checks it by finite differences.
#pragma once

#include <algorithm>
#include <cmath>

#include "harness.h"

namespace tessera::test {

// Parameters that are the same along both axes, without dilation or groups: `before` is the padding above and left of
// the image, `after` that below and right of it.
inline ts_conv2d_params square_params(int32_t activation, int32_t stride, int32_t before, int32_t after) {
  return {.struct_size = sizeof(ts_conv2d_params),
          .activation = activation,
          .stride_h = stride,
          .stride_w = stride,
          .dilation_h = 1,
          .dilation_w = 1,
          .pad_top = before,
          .pad_left = before,
          .pad_bottom = after,
          .pad_right = after,
          .groups = 1};
}

// A convolution from `in` [b,h,w,c] to `out` [b,oh,ow,o]; a transposed one goes the other way.
struct Conv {
  int64_t b, h, w, c, o, kh, kw;
  ts_conv2d_params p;
  int64_t oh = 0, ow = 0;

  // Sets the output's size; false if the kernel does not fit.
  bool finish() {
    oh = size(h, kh, p.stride_h, p.dilation_h, p.pad_top + p.pad_bottom);
    ow = size(w, kw, p.stride_w, p.dilation_w, p.pad_left + p.pad_right);
    return oh >= 1 && ow >= 1;
  }
  static int64_t size(int64_t in, int64_t k, int64_t stride, int64_t dilation, int64_t pad) {
    int64_t span = in + pad - dilation * (k - 1) - 1;
    return span < 0 ? 0 : span / stride + 1;
  }

  int64_t group_c() const { return c / p.groups; }
  size_t in_size() const { return static_cast<size_t>(b * h * w * c); }
  size_t out_size() const { return static_cast<size_t>(b * oh * ow * o); }
  size_t w_size() const { return static_cast<size_t>(o * kh * kw * group_c()); }
  std::vector<int64_t> in_dims() const { return {b, h, w, c}; }
  std::vector<int64_t> out_dims() const { return {b, oh, ow, o}; }
  std::vector<int64_t> w_dims() const { return {o, kh, kw, group_c()}; }

  std::string text() const {
    char line[256];
    snprintf(line, sizeof line,
             "b%lld %lldx%lldx%lld -> %lldx%lldx%lld k%lldx%lld s%dx%d d%dx%d pad %d,%d,%d,%d groups %d relu %d", ll(b),
             ll(h), ll(w), ll(c), ll(oh), ll(ow), ll(o), ll(kh), ll(kw), p.stride_h, p.stride_w, p.dilation_h,
             p.dilation_w, p.pad_top, p.pad_left, p.pad_bottom, p.pad_right, p.groups, p.activation);
    return line;
  }
  static long long ll(int64_t v) { return static_cast<long long>(v); }

  // visit(in index, w index, out index) for every product of the sum.
  template <class Visit>
  void products(Visit &&visit) const {
    int64_t ig = group_c(), og = o / p.groups;
    for (int64_t n = 0; n < b; n++)
      for (int64_t y = 0; y < oh; y++)
        for (int64_t x = 0; x < ow; x++)
          for (int64_t f = 0; f < o; f++)
            for (int64_t i = 0; i < kh; i++)
              for (int64_t j = 0; j < kw; j++) {
                int64_t iy = y * p.stride_h - p.pad_top + i * p.dilation_h;
                int64_t ix = x * p.stride_w - p.pad_left + j * p.dilation_w;
                if (iy < 0 || iy >= h || ix < 0 || ix >= w) continue;
                int64_t in0 = ((n * h + iy) * w + ix) * c + f / og * ig, w0 = ((f * kh + i) * kw + j) * ig;
                for (int64_t k = 0; k < ig; k++) visit(in0 + k, w0 + k, ((n * oh + y) * ow + x) * o + f);
              }
  }
};

template <class T>
struct ConvResult {
  std::vector<T> out, in, w, in_sum, out_sum;
};

// All three maps, from the same three tensors: out from (in, w), in from (out, w), w from (in, out); and the sums over
// the pixels of both sides.
template <class T>
ConvResult<T> convolve(const Conv &conv, const std::vector<T> &in, const std::vector<T> &w, const std::vector<T> &out) {
  ConvResult<T> r{std::vector<T>(out.size()), std::vector<T>(in.size()), std::vector<T>(w.size()),
                  std::vector<T>(static_cast<size_t>(conv.c)), std::vector<T>(static_cast<size_t>(conv.o))};
  conv.products([&](int64_t i, int64_t k, int64_t j) {
    r.out[j] += in[i] * w[k];
    r.in[i] += out[j] * w[k];
    r.w[k] += in[i] * out[j];
  });
  for (size_t i = 0; i < in.size(); i++) r.in_sum[i % r.in_sum.size()] += in[i];
  for (size_t i = 0; i < out.size(); i++) r.out_sum[i % r.out_sum.size()] += out[i];
  return r;
}

// y + bias, then ReLU if asked for.
template <class T>
std::vector<T> finish(std::vector<T> y, const std::vector<T> &bias, bool relu) {
  for (size_t i = 0; i < y.size(); i++) {
    if (!bias.empty()) y[i] += bias[i % bias.size()];
    if (relu) y[i] = std::max(y[i], T(0));
  }
  return y;
}

template <class To, class From>
std::vector<To> as(const std::vector<From> &v) {
  return std::vector<To>(v.begin(), v.end());
}
inline std::vector<double> absolute(const std::vector<float> &v) {
  std::vector<double> a;
  for (float x : v) a.push_back(std::fabs(static_cast<double>(x)));
  return a;
}

// The largest error of `got` in units of 2^-24 times the sum of the terms' magnitudes; NaN counts as infinite.
template <class T>
double error_of(const std::vector<T> &got, const std::vector<double> &exact, const std::vector<double> &magnitude) {
  double worst = 0;
  for (size_t i = 0; i < exact.size(); i++) {
    double e = std::fabs(static_cast<double>(got[i]) - exact[i]);
    if (e == 0) continue;
    e = std::isnan(e) ? INFINITY : e / (magnitude[i] * 0x1p-24 + 1e-300);
    worst = std::max(worst, e);
  }
  return worst;
}

// Whether GPUs are asked to multiply in TF32.
inline bool tf32_wanted() {
  const char *text = getenv("TESSERA_TF32");
  return text && strcmp(text, "1") == 0;
}

// The bound: twice the plain formula's error, and one rounding of the terms' magnitude, because on sums of a few terms
// the plain formula may be exact by luck.
inline double fp32_bound(double plain_error) { return 2 * plain_error + 2; }
// In TF32 both factors are rounded by 2^-11 too, which is 2^14 of our units; a quarter more for sums that are cut off.
inline double bound_of(double plain_error) { return fp32_bound(plain_error) + (tf32_wanted() ? 1.25 * 0x1p14 : 0); }

inline Conv random_conv(Rng &rng) {
  Conv conv{};
  for (;;) {
    auto pick = [&](int64_t low, int64_t high) { return uniform_int(rng, low, high); };
    auto pick32 = [&](int64_t low, int64_t high) { return static_cast<int32_t>(pick(low, high)); };
    // Half the time sizes that kernels are made for, half the time anything.
    auto channels = [&] {
      static constexpr int64_t kUsual[] = {1, 2, 3, 4, 8, 16, 32, 48, 64};
      return pick(0, 1) ? kUsual[pick(0, 8)] : pick(1, 70);
    };
    conv.p = {};
    conv.p.struct_size = sizeof conv.p;
    conv.b = pick(1, 5);
    conv.h = pick(1, 15), conv.w = pick(1, 15);
    conv.kh = pick(1, pick(0, 3) ? 4 : 7), conv.kw = pick(0, 1) ? conv.kh : pick(1, 7);
    conv.p.stride_h = pick32(1, 3), conv.p.stride_w = pick(0, 2) ? conv.p.stride_h : pick32(1, 3);
    conv.p.dilation_h = pick(0, 3) ? 1 : pick32(1, 3), conv.p.dilation_w = pick(0, 3) ? 1 : pick32(1, 3);
    conv.p.pad_top = pick32(0, conv.kh), conv.p.pad_bottom = pick32(0, conv.kh);
    conv.p.pad_left = pick32(0, conv.kw), conv.p.pad_right = pick32(0, conv.kw);
    conv.p.activation = pick32(0, 1);
    conv.c = channels(), conv.o = channels(), conv.p.groups = 1;
    if (pick(0, 4) == 0) {  // groups: depthwise with one filter or several, or a few wide ones
      conv.p.groups = pick(0, 1) ? static_cast<int32_t>(conv.c) : pick32(2, 4);
      conv.c = (conv.c + conv.p.groups - 1) / conv.p.groups * conv.p.groups;
      conv.o = conv.p.groups * pick(1, 4);
    }
    if (conv.finish()) return conv;
  }
}

// A layer of a residual network: 3x3, stride 1, many channels, and images as they come: odd sizes, little padding or
// much, one image or so many that its weights' gradient sums over hundreds of pixels.
inline Conv random_wide_conv(Rng &rng) {
  Conv conv{};
  auto pick = [&](int64_t low, int64_t high) { return uniform_int(rng, low, high); };
  auto pick32 = [&](int64_t low, int64_t high) { return static_cast<int32_t>(pick(low, high)); };
  auto channels = [&] { return pick(0, 1) ? 16 * pick(2, 4) : pick(32, 70); };
  conv.p = square_params(pick32(0, 1), 1, 0, 0);
  auto side = [&] { return pick(0, 3) ? pick(4, 11) : pick(1, 5); };
  conv.h = side(), conv.w = side(), conv.c = channels(), conv.o = channels(), conv.kh = conv.kw = 3;
  conv.b = pick(0, 1) ? pick(1, 5) : 300 / (conv.h * conv.w) + 1;
  do {
    // All 0 or all 1, or some of 0 and 1 or of 1 and 2: kernels may ask that no side has less, or more.
    int32_t low = pick32(0, 1), high = low + pick32(0, 1);
    conv.p.pad_top = pick32(low, high), conv.p.pad_bottom = pick32(low, high);
    conv.p.pad_left = pick32(low, high), conv.p.pad_right = pick32(low, high);
  } while (!conv.finish());
  return conv;
}

}  // namespace tessera::test
