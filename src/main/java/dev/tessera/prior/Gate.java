package dev.tessera.prior;

import dev.tessera.device.Shape;
import dev.tessera.device.Stream;
import dev.tessera.device.Tensor;
import dev.tessera.nn.Initializer;
import dev.tessera.nn.Parameter;
import dev.tessera.nn.Pass;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * {@code tanh(a) sigmoid(b)} of the halves of 2F channels, with a bias by class: eq. 2 and 4 of van
 * den Oord et al. 2016.
 */
final class Gate {
  private final @Nullable Parameter classBias; // [classes,2F]
  private @Nullable Tensor gates; // of the last forward pass

  Gate(int channels, int classes) {
    this.classBias =
        classes > 0 ? new Parameter(Shape.of(classes, 2L * channels), Initializer.ZEROS) : null;
  }

  /**
   * The output {@code [...,F]} of x {@code [...,2F]}, which is overwritten by what backward needs.
   */
  Tensor forwardInPlace(Pass pass, Tensor x, @Nullable Tensor classes) {
    return forward(pass, x, classes, x);
  }

  /** The output {@code [...,F]} of x {@code [...,2F]}. */
  Tensor forward(Pass pass, Tensor x, @Nullable Tensor classes) {
    return forward(pass, x, classes, pass.allocate(x.shape()));
  }

  private Tensor forward(Pass pass, Tensor x, @Nullable Tensor classes, Tensor kept) {
    Tensor y = pass.allocate(half(x.shape()));
    run(pass.stream(), x, classes, kept, y);
    gates = kept;
    return y;
  }

  /** Like forward, and keeps nothing; x is overwritten. */
  Tensor infer(Pass pass, Tensor x, @Nullable Tensor classes) {
    Tensor y = pass.allocate(half(x.shape()));
    run(pass.stream(), x, classes, x, y);
    return y;
  }

  /** y [...,F] of x [...,2F], which may be {@code kept}. */
  void run(Stream stream, Tensor x, @Nullable Tensor classes, Tensor kept, Tensor y) {
    PriorOps.gate(stream, x, classBias == null ? null : classBias.value(), classes, kept, y);
  }

  /** The gradient by x, of that by y. */
  Tensor backward(Pass pass, Tensor dy, @Nullable Tensor classes) {
    if (gates == null) {
      throw new IllegalStateException("backward was called before forward");
    }
    PriorOps.gateBackward(
        pass.stream(), gates, dy, classes, gates, classBias == null ? null : classBias.gradient());
    return gates;
  }

  void addParameters(String name, Map<String, Parameter> all) {
    if (classBias != null) {
      all.put(name, classBias);
    }
  }

  private static Shape half(Shape wide) {
    return wide.with(-1, wide.dim(-1) / 2);
  }
}
