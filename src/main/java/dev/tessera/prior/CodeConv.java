package dev.tessera.prior;

import dev.tessera.device.Shape;
import dev.tessera.device.Tensor;
import dev.tessera.nn.Activation;
import dev.tessera.nn.Initializer;
import dev.tessera.nn.Parameter;
import dev.tessera.nn.Pass;
import java.lang.foreign.MemorySegment;
import java.util.LinkedHashMap;
import java.util.SequencedMap;
import org.jspecify.annotations.Nullable;

/**
 * The first layer of a PixelCNN: a masked convolution of one-hot codes, as sums of rows of its
 * weights. Codes are i32 {@code [B,H,W]}, the output is {@code [B,H,W,O]}, weights are {@code
 * [taps,K,O]}: only what the mask leaves.
 */
final class CodeConv {
  /** Which part of a k x k kernel around the pixel is left; none has the pixel itself. */
  enum Part {
    /** All that comes before the pixel in raster order: mask A. */
    RASTER,
    /** The rows above. */
    ABOVE,
    /** The pixels to the left. */
    LEFT
  }

  private final int kernel;
  private final Part part;
  private final Activation activation;
  private final int outChannels;
  private final Parameter weight;
  private final Parameter bias;
  private final MemorySegment params;
  private @Nullable Tensor input; // of the last forward pass
  private @Nullable Tensor output;

  CodeConv(
      int codes, int outChannels, int kernel, Part part, Activation activation, Initializer init) {
    this.kernel = kernel;
    this.part = part;
    this.activation = activation;
    this.outChannels = outChannels;
    this.weight = new Parameter(Shape.of(taps(kernel, part), codes, outChannels), init);
    this.bias = new Parameter(Shape.of(outChannels), Initializer.ZEROS);
    this.params = newParams();
  }

  /** Positions of the kernel that the part has. */
  static int taps(int kernel, Part part) {
    int half = kernel / 2;
    return switch (part) {
      case RASTER -> half * kernel + half;
      case ABOVE -> half * kernel;
      case LEFT -> half;
    };
  }

  /** Parameters for calls of one position, for one caller at a time. */
  MemorySegment newParams() {
    int half = kernel / 2;
    int taps = taps(kernel, part);
    return part == Part.LEFT
        ? PriorOps.masked(1, half, taps, 0, half, activation)
        : PriorOps.masked(half + 1, kernel, taps, half, half, activation);
  }

  Parameter weight() {
    return weight;
  }

  Parameter bias() {
    return bias;
  }

  Tensor infer(Pass pass, Tensor codes) {
    Shape s = codes.shape();
    Tensor y = pass.allocate(Shape.of(s.dim(0), s.dim(1), s.dim(2), outChannels));
    PriorOps.codeConv(pass.stream(), params, codes, weight.value(), bias.value(), y);
    return y;
  }

  Tensor forward(Pass pass, Tensor codes) {
    Tensor y = infer(pass, codes);
    input = codes;
    output = y;
    return y;
  }

  /** Writes the parameters' gradients; {@code dy} may be overwritten. Codes have no gradient. */
  void backwardParameters(Pass pass, Tensor dy) {
    if (input == null || output == null) {
      throw new IllegalStateException("backward was called before forward");
    }
    if (activation == Activation.RELU) {
      dev.tessera.nn.Ops.reluBackward(pass.stream(), output, dy, dy);
    }
    PriorOps.codeConvBackwardWeights(
        pass.stream(), params, input, dy, weight.gradient(), bias.gradient());
  }

  SequencedMap<String, Parameter> parameters() {
    SequencedMap<String, Parameter> all = new LinkedHashMap<>();
    all.put("weight", weight);
    all.put("bias", bias);
    return all;
  }
}
