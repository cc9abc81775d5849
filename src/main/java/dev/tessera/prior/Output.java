package dev.tessera.prior;

import dev.tessera.device.Stream;
import dev.tessera.device.Tensor;
import dev.tessera.nn.Parameter;
import dev.tessera.nn.Pass;
import java.util.SequencedMap;

/** The last layer of a transformer: features {@code [N,C]} to logits {@code [N,K]}. */
sealed interface Output permits Linear, TiedOutput {
  /** Adds the layer's own parameters under their names. */
  void parameters(String prefix, SequencedMap<String, Parameter> all);

  /** {@code [N,C]} to {@code [N,K]}. */
  Tensor forward(Pass pass, Tensor x);

  /** The same in the order of addition in which a row of y depends on that row of x alone. */
  void inOrder(Stream stream, Tensor x, Tensor y);

  /**
   * The gradients by the layer's own parameters, and by x as the result.
   *
   * @param ones {@code [1,N]}: a bias's gradient is their product with dy
   */
  Tensor backward(Pass pass, Tensor x, Tensor dy, Tensor ones);

  /** Adds the gradient by shared weights to the one that is there; after {@link #backward}. */
  default void addSharedGradient(Stream stream) {}
}
