#include "cpu/nn/conv_primitives.h"

namespace tessera::cpu {
namespace {

// A convolution's sides and geometry in oneDNN's terms: logical NCHW dimensions with channels-last strides, dilation
// counted from 0.
struct Geometry {
  explicit Geometry(const ts_conv_shape &s)
      : strides{s.stride_h, s.stride_w},
        dilates{s.dilation_h - 1, s.dilation_w - 1},
        pad_before{s.pad_top, s.pad_left},
        pad_after{s.pad_bottom, s.pad_right},
        in(image(s.batch, s.in_h, s.in_w, s.in_c)),
        out(image(s.batch, s.out_h, s.out_w, s.out_c)) {}

  static OwnedLayout image(int64_t b, int64_t h, int64_t w, int64_t c) {
    const int64_t steps[] = {h * w * c, 1, w * c, c};
    return layout({b, c, h, w}, steps);
  }

  dnnl_dims_t strides, dilates, pad_before, pad_after;
  OwnedLayout in, out;
};

// Weights with their groups as a dimension of their own, in the API's layout or (plain = false) one of oneDNN's choice.
OwnedLayout weights(const ts_conv_shape &s, bool plain) {
  int64_t o = s.out_c / s.groups, i = s.in_c / s.groups, pixel = s.kernel_w * i, filter = s.kernel_h * pixel;
  const int64_t steps[] = {o * filter, filter, 1, pixel, i};
  return layout({s.groups, o, i, s.kernel_h, s.kernel_w}, plain ? steps : nullptr);
}

// The same memory as the weights of a deconvolution, which names its input and output channels from its own side.
OwnedLayout deconvolution_weights(const ts_conv_shape &s, bool plain) {
  int64_t o = s.out_c / s.groups, i = s.in_c / s.groups, pixel = s.kernel_w * i, filter = s.kernel_h * pixel;
  const int64_t steps[] = {o * filter, 1, filter, pixel, i};
  return layout({s.groups, i, o, s.kernel_h, s.kernel_w}, plain ? steps : nullptr);
}

OwnedLayout vector(int64_t n) {
  const int64_t step = 1;
  return layout({n}, &step);
}

OwnedDescription forward_description(dnnl_engine_t engine, const ts_conv_shape &s, const Geometry &g, bool bias,
                                     Finish finish) {
  OwnedLayout w = weights(s, false), b = bias ? vector(s.out_c) : OwnedLayout();
  OwnedAttributes attribute = attributes(finish);
  dnnl_primitive_desc_t raw = nullptr;
  DNNL_OK(dnnl_convolution_forward_primitive_desc_create(&raw, engine, dnnl_forward_training, dnnl_convolution_direct,
                                                         g.in.get(), w.get(), b.get(), g.out.get(), g.strides,
                                                         g.dilates, g.pad_before, g.pad_after, attribute.get()));
  return OwnedDescription(raw);
}

}  // namespace

CachedPrimitive build_to_out(dnnl_engine_t engine, const ts_conv_shape &shape, bool bias, bool relu) {
  OwnedDescription description =
      forward_description(engine, shape, Geometry(shape), bias, relu ? Finish::kRelu : Finish::kNone);
  using C = CachedPrimitive;
  if (bias)
    return make_cached(
        engine, description.get(),
        {{C::kIn, DNNL_ARG_SRC}, {C::kWeights, DNNL_ARG_WEIGHTS}, {C::kBias, DNNL_ARG_BIAS}, {C::kOut, DNNL_ARG_DST}},
        weights(shape, true), false);
  return make_cached(engine, description.get(),
                     {{C::kIn, DNNL_ARG_SRC}, {C::kWeights, DNNL_ARG_WEIGHTS}, {C::kOut, DNNL_ARG_DST}},
                     weights(shape, true), false);
}

CachedPrimitive build_to_in(dnnl_engine_t engine, const ts_conv_shape &shape, bool bias, bool relu) {
  Geometry g(shape);
  using C = CachedPrimitive;
  dnnl_primitive_desc_t raw = nullptr;
  if (!bias && !relu) {
    OwnedDescription hint = forward_description(engine, shape, g, false, Finish::kNone);
    OwnedLayout w = weights(shape, false);
    OwnedAttributes attribute = attributes(Finish::kNone);
    DNNL_OK(dnnl_convolution_backward_data_primitive_desc_create(
        &raw, engine, dnnl_convolution_direct, g.in.get(), w.get(), g.out.get(), g.strides, g.dilates, g.pad_before,
        g.pad_after, hint.get(), attribute.get()));
    OwnedDescription description(raw);
    return make_cached(engine, raw,
                       {{C::kIn, DNNL_ARG_DIFF_SRC}, {C::kWeights, DNNL_ARG_WEIGHTS}, {C::kOut, DNNL_ARG_DIFF_DST}},
                       weights(shape, true), false);
  }
  // The same map as a deconvolution's forward, which takes bias and ReLU.
  OwnedLayout w = deconvolution_weights(shape, false), b = bias ? vector(shape.in_c) : OwnedLayout();
  OwnedAttributes attribute = attributes(relu ? Finish::kRelu : Finish::kNone);
  DNNL_OK(dnnl_deconvolution_forward_primitive_desc_create(
      &raw, engine, dnnl_forward_training, dnnl_deconvolution_direct, g.out.get(), w.get(), b.get(), g.in.get(),
      g.strides, g.dilates, g.pad_before, g.pad_after, attribute.get()));
  OwnedDescription description(raw);
  if (bias)
    return make_cached(
        engine, raw,
        {{C::kOut, DNNL_ARG_SRC}, {C::kWeights, DNNL_ARG_WEIGHTS}, {C::kBias, DNNL_ARG_BIAS}, {C::kIn, DNNL_ARG_DST}},
        deconvolution_weights(shape, true), false);
  return make_cached(engine, raw, {{C::kOut, DNNL_ARG_SRC}, {C::kWeights, DNNL_ARG_WEIGHTS}, {C::kIn, DNNL_ARG_DST}},
                     deconvolution_weights(shape, true), false);
}

CachedPrimitive build_to_weights(dnnl_engine_t engine, const ts_conv_shape &shape, bool bias) {
  Geometry g(shape);
  using C = CachedPrimitive;
  OwnedDescription hint = forward_description(engine, shape, g, bias, Finish::kNone);
  OwnedLayout w = weights(shape, false), b = bias ? vector(shape.out_c) : OwnedLayout();
  OwnedAttributes attribute = attributes(Finish::kNone);
  dnnl_primitive_desc_t raw = nullptr;
  DNNL_OK(dnnl_convolution_backward_weights_primitive_desc_create(
      &raw, engine, dnnl_convolution_direct, g.in.get(), w.get(), b.get(), g.out.get(), g.strides, g.dilates,
      g.pad_before, g.pad_after, hint.get(), attribute.get()));
  OwnedDescription description(raw);
  if (bias)
    return make_cached(engine, raw,
                       {{C::kIn, DNNL_ARG_SRC},
                        {C::kWeights, DNNL_ARG_DIFF_WEIGHTS},
                        {C::kBias, DNNL_ARG_DIFF_BIAS},
                        {C::kOut, DNNL_ARG_DIFF_DST}},
                       weights(shape, true), true);
  return make_cached(engine, raw,
                     {{C::kIn, DNNL_ARG_SRC}, {C::kWeights, DNNL_ARG_DIFF_WEIGHTS}, {C::kOut, DNNL_ARG_DIFF_DST}},
                     weights(shape, true), true);
}

}  // namespace tessera::cpu
