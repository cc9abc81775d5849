package dev.tessera.nn;

import dev.tessera.device.Shape;
import dev.tessera.device.Tensor;
import java.util.SequencedMap;

/**
 * The residual block of the VQ-VAE paper (section 4.1): {@code x +
 * conv1x1(relu(conv3x3(relu(x))))}, with {@code hidden} channels inside.
 */
public final class ResidualBlock implements Layer {
  private final Sequential branch;

  /** A block on {@code channels} channels, with {@code hidden} inside. */
  public ResidualBlock(int channels, int hidden, WeightRule weights) {
    this.branch =
        Sequential.of(
            new ReLU(),
            new Conv2d(weights.conv(channels, hidden, 3, 1, Activation.RELU)),
            new Conv2d(weights.conv(hidden, channels, 1, 1, Activation.NONE)));
  }

  @Override
  public Shape outputShape(Shape input) {
    return input;
  }

  @Override
  public Tensor forward(Pass pass, Tensor x) {
    return sum(pass, x, branch.forward(pass, x));
  }

  @Override
  public Tensor infer(Pass pass, Tensor x) {
    return sum(pass, x, branch.infer(pass, x));
  }

  @Override
  public Tensor backward(Pass pass, Tensor dy) {
    // The branch ends in a convolution without activation, which leaves dy as it is for the
    // shortcut.
    Tensor dx = branch.backward(pass, dy);
    Ops.add(pass.stream(), dx, dy, dx);
    return dx;
  }

  @Override
  public SequencedMap<String, Parameter> parameters() {
    return branch.parameters();
  }

  private static Tensor sum(Pass pass, Tensor x, Tensor branch) {
    Ops.add(pass.stream(), branch, x, branch);
    return branch;
  }
}
