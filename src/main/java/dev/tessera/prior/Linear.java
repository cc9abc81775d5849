package dev.tessera.prior;

import dev.tessera.device.Shape;
import dev.tessera.device.Stream;
import dev.tessera.device.Tensor;
import dev.tessera.nn.Initializer;
import dev.tessera.nn.Parameter;
import dev.tessera.nn.Pass;
import java.util.SequencedMap;

/**
 * {@code y = x W + b} for rows x: W is {@code [I,O]}, the layout in which a row at a time is fast,
 * and not PyTorch's {@code [O,I]}.
 */
final class Linear implements Output {
  private final Parameter weight;
  private final Parameter bias;

  Linear(int in, int out, Initializer initializer) {
    this.weight = new Parameter(Shape.of(in, out), initializer);
    this.bias = new Parameter(Shape.of(out), Initializer.ZEROS);
  }

  @Override
  public void parameters(String prefix, SequencedMap<String, Parameter> all) {
    all.put(prefix + ".weight", weight);
    all.put(prefix + ".bias", bias);
  }

  /** {@code [N,I]} to {@code [N,O]}. */
  @Override
  public Tensor forward(Pass pass, Tensor x) {
    Tensor y = pass.allocate(Shape.of(x.shape().dim(0), bias.shape().dim(0)));
    TransformerOps.multiply(
        pass.stream(), TransformerOps.PRODUCT, x, weight.value(), bias.value(), y);
    return y;
  }

  @Override
  public void inOrder(Stream stream, Tensor x, Tensor y) {
    TransformerOps.multiply(
        stream, TransformerOps.PRODUCT_IN_ORDER, x, weight.value(), bias.value(), y);
  }

  @Override
  public Tensor backward(Pass pass, Tensor x, Tensor dy, Tensor ones) {
    Stream stream = pass.stream();
    TransformerOps.multiply(
        stream, TransformerOps.PRODUCT_LEFT_TRANSPOSED, x, dy, null, weight.gradient());
    TransformerOps.multiply(
        stream,
        TransformerOps.PRODUCT,
        ones,
        dy,
        null,
        bias.gradient().reshape(Shape.of(1, bias.shape().dim(0))));
    Tensor dx = pass.allocate(x.shape());
    TransformerOps.multiply(
        stream, TransformerOps.PRODUCT_RIGHT_TRANSPOSED, dy, weight.value(), null, dx);
    return dx;
  }
}
