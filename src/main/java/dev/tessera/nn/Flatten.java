package dev.tessera.nn;

import dev.tessera.device.Shape;
import dev.tessera.device.Tensor;
import java.util.LinkedHashMap;
import java.util.SequencedMap;
import org.jspecify.annotations.Nullable;

/**
 * {@code [B,H,W,C]} seen as {@code [B,1,1,H*W*C]}, without a copy: a 1x1 convolution of that is a
 * fully connected layer.
 */
public final class Flatten implements Layer {
  private @Nullable Shape input; // of the last forward pass

  @Override
  public Shape outputShape(Shape shape) {
    return Shape.of(shape.dim(0), 1, 1, shape.dim(1) * shape.dim(2) * shape.dim(3));
  }

  @Override
  public Tensor forward(Pass pass, Tensor x) {
    input = x.shape();
    return infer(pass, x);
  }

  @Override
  public Tensor infer(Pass pass, Tensor x) {
    return x.reshape(outputShape(x.shape()));
  }

  @Override
  public Tensor backward(Pass pass, Tensor dy) {
    if (input == null) {
      throw new IllegalStateException("backward was called before forward");
    }
    return dy.reshape(input);
  }

  @Override
  public SequencedMap<String, Parameter> parameters() {
    return new LinkedHashMap<>();
  }
}
