package dev.tessera.nn;

import dev.tessera.bindings.tessera_h;
import dev.tessera.device.NativeCall;
import dev.tessera.device.Shape;
import dev.tessera.device.Tensor;

/**
 * A transposed 2-D convolution with bias, padded to "same": {@code [B,H,W,I]} becomes {@code
 * [B,H*stride,W*stride,O]}. It is the gradient of the "same" convolution that takes that size back
 * to the input's, as in TensorFlow and Keras.
 */
public final class ConvTranspose2d extends Convolution {
  /** A transposed convolution; its weights are {@code [I,K,K,O]}. */
  public ConvTranspose2d(ConvOptions options) {
    super(
        options,
        Shape.of(options.inChannels(), options.kernel(), options.kernel(), options.outChannels()));
  }

  @Override
  public Shape outputShape(Shape input) {
    int stride = options.stride();
    return Shape.of(
        input.dim(0), input.dim(1) * stride, input.dim(2) * stride, options.outChannels());
  }

  @Override
  Padding padding(Shape input) {
    int stride = options.stride();
    return Padding.same(input.dim(1) * stride, input.dim(2) * stride, options.kernel(), stride);
  }

  @Override
  void runForward(Pass pass, Tensor x, Tensor y) {
    try (NativeCall call = pass.stream().call()) {
      call.check(
          tessera_h.ts_conv_transpose2d_forward(
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
          tessera_h.ts_conv_transpose2d_backward_weights(
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
          tessera_h.ts_conv_transpose2d_backward_data(
              call.stream(),
              params(dx.shape()),
              call.arg(dy),
              call.arg(weight.value()),
              call.arg(dx)));
    }
  }
}
