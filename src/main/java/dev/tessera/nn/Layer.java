package dev.tessera.nn;

import dev.tessera.device.Shape;
import dev.tessera.device.Tensor;
import java.util.SequencedMap;

/**
 * A part of a network. Training calls {@link #forward} and then {@link #backward}, one pass at a
 * time; {@link #infer} keeps no state and may be called from many threads, each with its own {@link
 * Pass}.
 */
public interface Layer {
  /** The shape of the output for an input of this shape. */
  Shape outputShape(Shape input);

  /** Computes the output and keeps what {@link #backward} needs, in the pass's workspace. */
  Tensor forward(Pass pass, Tensor x);

  /**
   * From the gradient of the loss by the output, writes those by the parameters (overwriting) and
   * returns that by the input. {@code dy} may be overwritten.
   */
  Tensor backward(Pass pass, Tensor dy);

  /** Like {@link #backward}, but {@code dy} stays as it is. */
  default Tensor backwardKeeping(Pass pass, Tensor dy) {
    Tensor copy = pass.allocate(dy.shape());
    pass.stream().copy(copy, dy);
    return backward(pass, copy);
  }

  /**
   * Like {@link #backward} for the first layer of a network: nobody needs the gradient by its
   * input, so it is not computed.
   */
  default void backwardParameters(Pass pass, Tensor dy) {
    backward(pass, dy);
  }

  /** Computes the output and keeps nothing. */
  Tensor infer(Pass pass, Tensor x);

  /** Its parameters by name, in a fixed order; names are relative to the layer, as in PyTorch. */
  SequencedMap<String, Parameter> parameters();
}
