package dev.tessera.nn;

import dev.tessera.device.Shape;
import dev.tessera.device.Tensor;
import java.util.LinkedHashMap;
import java.util.SequencedMap;
import org.jspecify.annotations.Nullable;

/** {@code max(x, 0)}. A ReLU behind a convolution is cheaper as its {@link Activation}. */
public final class ReLU implements Layer {
  private @Nullable Tensor output;

  @Override
  public Shape outputShape(Shape input) {
    return input;
  }

  @Override
  public Tensor forward(Pass pass, Tensor x) {
    Tensor y = infer(pass, x);
    output = y;
    return y;
  }

  @Override
  public Tensor infer(Pass pass, Tensor x) {
    Tensor y = pass.allocate(x.shape());
    Ops.relu(pass.stream(), x, y);
    return y;
  }

  @Override
  public Tensor backward(Pass pass, Tensor dy) {
    if (output == null) {
      throw new IllegalStateException("backward was called before forward");
    }
    Ops.reluBackward(pass.stream(), output, dy, dy);
    return dy;
  }

  @Override
  public SequencedMap<String, Parameter> parameters() {
    return new LinkedHashMap<>();
  }
}
