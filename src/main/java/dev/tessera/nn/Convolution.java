package dev.tessera.nn;

import dev.tessera.bindings.NativeLibrary;
import dev.tessera.bindings.ts_conv2d_params;
import dev.tessera.device.Shape;
import dev.tessera.device.Tensor;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.LinkedHashMap;
import java.util.SequencedMap;
import java.util.concurrent.ConcurrentHashMap;
import org.jspecify.annotations.Nullable;

/** What the convolutions share: parameters, padding, the ReLU. */
abstract sealed class Convolution implements Layer permits Conv2d, ConvTranspose2d, CausalConv2d {
  final ConvOptions options;
  final Parameter weight;
  final Parameter bias;
  private final ConcurrentHashMap<Shape, MemorySegment> params = new ConcurrentHashMap<>();
  private @Nullable Tensor input; // of the last forward pass
  private @Nullable Tensor output;

  Convolution(ConvOptions options, Shape weightShape) {
    NativeLibrary.prepareLayers();
    this.options = options;
    this.weight = new Parameter(weightShape, options.initializer());
    this.bias = new Parameter(Shape.of(options.outChannels()), Initializer.ZEROS);
  }

  /** The ts_conv2d_params for inputs of this shape; made once and kept. */
  final MemorySegment params(Shape input) {
    MemorySegment known = params.get(input);
    return known != null ? known : params.computeIfAbsent(input, this::newParams);
  }

  /** Padding of the (underlying) convolution for inputs of this shape. */
  abstract Padding padding(Shape input);

  abstract void runForward(Pass pass, Tensor x, Tensor y);

  abstract void runBackwardWeights(Pass pass, Tensor x, Tensor dy);

  abstract void runBackwardData(Pass pass, Tensor dy, Tensor dx);

  @Override
  public final Tensor forward(Pass pass, Tensor x) {
    Tensor y = infer(pass, x);
    input = x;
    output = y;
    return y;
  }

  @Override
  public final Tensor infer(Pass pass, Tensor x) {
    Tensor y = pass.allocate(outputShape(x.shape()));
    runForward(pass, x, y);
    return y;
  }

  @Override
  public final void backwardParameters(Pass pass, Tensor dy) {
    beforeActivation(pass, dy, dy);
    runBackwardWeights(pass, requireInput(), dy);
  }

  @Override
  public final Tensor backward(Pass pass, Tensor dy) {
    return backwardBoth(pass, beforeActivation(pass, dy, dy));
  }

  @Override
  public final Tensor backwardKeeping(Pass pass, Tensor dy) {
    boolean overwrites = options.activation() == Activation.RELU;
    return backwardBoth(
        pass, overwrites ? beforeActivation(pass, dy, pass.allocate(dy.shape())) : dy);
  }

  private Tensor backwardBoth(Pass pass, Tensor dy) {
    runBackwardWeights(pass, requireInput(), dy);
    Tensor dx = pass.allocate(requireInput().shape());
    runBackwardData(pass, dy, dx);
    return dx;
  }

  /** The gradient before the activation, written to {@code to}, or {@code dy} without one. */
  private Tensor beforeActivation(Pass pass, Tensor dy, Tensor to) {
    if (options.activation() != Activation.RELU) {
      return dy;
    }
    if (output == null) {
      throw new IllegalStateException("backward was called before forward");
    }
    Ops.reluBackward(pass.stream(), output, dy, to);
    return to;
  }

  private Tensor requireInput() {
    if (input == null) {
      throw new IllegalStateException("backward was called before forward");
    }
    return input;
  }

  @Override
  public final SequencedMap<String, Parameter> parameters() {
    SequencedMap<String, Parameter> all = new LinkedHashMap<>();
    all.put("weight", weight);
    all.put("bias", bias);
    return all;
  }

  private MemorySegment newParams(Shape input) {
    MemorySegment p = ts_conv2d_params.allocate(Arena.ofAuto());
    Padding padding = padding(input);
    ts_conv2d_params.struct_size(p, (int) ts_conv2d_params.sizeof());
    ts_conv2d_params.activation(p, options.activation().code());
    ts_conv2d_params.stride_h(p, options.stride());
    ts_conv2d_params.stride_w(p, options.stride());
    ts_conv2d_params.dilation_h(p, 1);
    ts_conv2d_params.dilation_w(p, 1);
    ts_conv2d_params.pad_top(p, padding.top());
    ts_conv2d_params.pad_left(p, padding.left());
    ts_conv2d_params.pad_bottom(p, padding.bottom());
    ts_conv2d_params.pad_right(p, padding.right());
    ts_conv2d_params.groups(p, 1);
    return p;
  }
}
