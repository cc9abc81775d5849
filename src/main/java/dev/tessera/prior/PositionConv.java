package dev.tessera.prior;

import dev.tessera.device.DataType;
import dev.tessera.device.Shape;
import dev.tessera.device.Stream;
import dev.tessera.device.Tensor;
import dev.tessera.nn.Activation;
import dev.tessera.nn.CausalConv2d;
import dev.tessera.nn.Conv2d;
import dev.tessera.nn.Parameter;
import java.lang.foreign.MemorySegment;
import java.util.Map;

/**
 * A convolution's weights turned for {@code ts_conv2d_at}, from OHWI to {@code [taps,I,O]}, and the
 * call itself: one position for many images side by side. For one session.
 */
final class PositionConv implements AutoCloseable {
  private final Tensor weight; // [taps,I,O]
  private final Parameter bias;
  private final MemorySegment params;

  private PositionConv(
      Stream stream, Map<String, Parameter> parameters, int taps, MemorySegment p) {
    Parameter from = of(parameters, "weight");
    this.bias = of(parameters, "bias");
    this.params = p;
    Shape s = from.shape();
    int outChannels = (int) s.dim(0);
    int kernel = (int) (s.dim(1) * s.dim(2));
    int inChannels = (int) s.dim(3);
    float[] values = from.value().toFloats(stream);
    float[] turned = new float[taps * inChannels * outChannels];
    for (int o = 0; o < outChannels; o++) {
      for (int i = 0; i < taps * inChannels; i++) {
        turned[i * outChannels + o] = values[o * kernel * inChannels + i];
      }
    }
    this.weight = stream.device().allocate(Shape.of(taps, inChannels, outChannels), DataType.F32);
    weight.copyFrom(stream, turned);
  }

  /** A 1x1 convolution. */
  static PositionConv of(Stream stream, Conv2d conv, Activation activation) {
    return new PositionConv(
        stream, conv.parameters(), 1, PriorOps.masked(1, 1, 1, 0, 0, activation));
  }

  /** A causal convolution, of whose kernel the first {@code taps} positions are left. */
  static PositionConv of(Stream stream, CausalConv2d conv, int taps) {
    return new PositionConv(
        stream,
        conv.parameters(),
        taps,
        PriorOps.masked(
            conv.kernelRows(),
            conv.kernelColumns(),
            taps,
            conv.kernelRows() - 1,
            conv.reachLeft(),
            conv.activation()));
  }

  /** y [B,O] at (row, column) of x [H,W,B,I]. */
  void at(Stream stream, int row, int column, Tensor x, Tensor y) {
    PriorOps.convAt(stream, params, row, column, x, weight, bias.value(), y);
  }

  /** y [B,O] of x [1,1,B,I], for a 1x1 convolution. */
  void at(Stream stream, Tensor x, Tensor y) {
    at(stream, 0, 0, x, y);
  }

  @Override
  public void close() {
    weight.close();
  }

  private static Parameter of(Map<String, Parameter> parameters, String name) {
    Parameter p = parameters.get(name);
    if (p == null) {
      throw new IllegalStateException("a convolution has no " + name);
    }
    return p;
  }
}
