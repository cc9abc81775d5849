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
    if (input == null || output == null) {
      throw new IllegalStateException("backward was called before forward");
    }
    if (options.activation() == Activation.RELU) {
      Ops.reluBackward(pass.stream(), output, dy, dy);
    }
    runBackwardWeights(pass, input, dy);
  }

  @Override
  public final Tensor backward(Pass pass, Tensor dy) {
    backwardParameters(pass, dy);
    if (input == null) {
      throw new IllegalStateException("backward was called before forward");
    }
    Tensor dx = pass.allocate(input.shape());
    runBackwardData(pass, dy, dx);
    return dx;
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
