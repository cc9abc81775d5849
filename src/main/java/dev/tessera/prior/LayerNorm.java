package dev.tessera.prior;

import dev.tessera.device.Shape;
import dev.tessera.device.Stream;
import dev.tessera.device.Tensor;
import dev.tessera.nn.Initializer;
import dev.tessera.nn.Parameter;
import dev.tessera.nn.Pass;
import java.util.Arrays;
import java.util.SequencedMap;

/** Layer normalisation of rows {@code [N,C]} (Ba, Kiros and Hinton 2016). */
final class LayerNorm {
  private final Parameter gamma;
  private final Parameter beta;

  LayerNorm(int channels) {
    this.gamma = new Parameter(Shape.of(channels), (values, random) -> Arrays.fill(values, 1.0f));
    this.beta = new Parameter(Shape.of(channels), Initializer.ZEROS);
  }

  /** An output with what the backward pass needs. */
  record Normalized(Tensor x, Tensor y, Tensor mean, Tensor rstd) {}

  void parameters(String prefix, SequencedMap<String, Parameter> all) {
    all.put(prefix + ".weight", gamma);
    all.put(prefix + ".bias", beta);
  }

  Normalized forward(Pass pass, Tensor x) {
    Shape rows = Shape.of(x.shape().dim(0));
    Normalized n =
        new Normalized(x, pass.allocate(x.shape()), pass.allocate(rows), pass.allocate(rows));
    apply(pass.stream(), x, n.y, n.mean, n.rstd);
    return n;
  }

  void apply(Stream stream, Tensor x, Tensor y, Tensor mean, Tensor rstd) {
    TransformerOps.norm(stream, x, gamma.value(), beta.value(), y, mean, rstd);
  }

  /** Turns dy into the gradient by x, in place. */
  void backward(Pass pass, Normalized n, Tensor dy) {
    TransformerOps.normBackward(
        pass.stream(),
        n.x,
        gamma.value(),
        n.mean,
        n.rstd,
        dy,
        dy,
        gamma.gradient(),
        beta.gradient());
  }
}
