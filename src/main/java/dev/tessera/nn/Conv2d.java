package dev.tessera.nn;

import dev.tessera.bindings.tessera_h;
import dev.tessera.device.NativeCall;
import dev.tessera.device.Shape;
import dev.tessera.device.Tensor;

/**
 * A 2-D convolution with bias, padded to "same" as in TensorFlow and Keras: {@code [B,H,W,I]}
 * becomes {@code [B,ceil(H/stride),ceil(W/stride),O]}.
 */
public final class Conv2d extends Convolution {
  /** A convolution; its weights are {@code [O,K,K,I]}. */
  public Conv2d(ConvOptions options) {
    super(
        options,
        Shape.of(options.outChannels(), options.kernel(), options.kernel(), options.inChannels()));
  }

  @Override
  public Shape outputShape(Shape input) {
    int stride = options.stride();
    return Shape.of(
        input.dim(0),
        (input.dim(1) + stride - 1) / stride,
        (input.dim(2) + stride - 1) / stride,
        options.outChannels());
  }

  @Override
  Padding padding(Shape input) {
    return Padding.same(input.dim(1), input.dim(2), options.kernel(), options.stride());
  }

  @Override
  void runForward(Pass pass, Tensor x, Tensor y) {
    try (NativeCall call = pass.stream().call()) {
      call.check(
          tessera_h.ts_conv2d_forward(
              call.stream(),
              params(x.shape()),
              call.arg(x),
              call.arg(weight.value()),
              call.arg(bias.value()),
              call.arg(y)));
    }
  }

  @Override
  void runBackwardWeights(Pass pass, Tensor x, Tensor dy) {
    try (NativeCall call = pass.stream().call()) {
      call.check(
          tessera_h.ts_conv2d_backward_weights(
              call.stream(),
              params(x.shape()),
              call.arg(x),
              call.arg(dy),
              call.arg(weight.gradient()),
              call.arg(bias.gradient())));
    }
  }

  @Override
  void runBackwardData(Pass pass, Tensor dy, Tensor dx) {
    try (NativeCall call = pass.stream().call()) {
      call.check(
          tessera_h.ts_conv2d_backward_data(
              call.stream(),
              params(dx.shape()),
              call.arg(dy),
              call.arg(weight.value()),
              call.arg(dx)));
    }
  }
}
