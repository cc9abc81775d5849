package dev.tessera.nn;

import dev.tessera.device.Shape;
import dev.tessera.device.Tensor;
import org.jspecify.annotations.Nullable;

/**
 * A trainable tensor with its gradient. A layer declares it with a shape and an initialiser; a
 * {@link ParameterSet} then gives it memory.
 */
public final class Parameter {
  private final Shape shape;
  private final Initializer initializer;
  private @Nullable Tensor value;
  private @Nullable Tensor gradient;

  /** A parameter without memory yet. */
  public Parameter(Shape shape, Initializer initializer) {
    this.shape = shape;
    this.initializer = initializer;
  }

  /** Shape in memory; convolution weights are OHWI. */
  public Shape shape() {
    return shape;
  }

  /** How it begins. */
  Initializer initializer() {
    return initializer;
  }

  /** Its value. */
  public Tensor value() {
    return bound(value);
  }

  /** The gradient of the loss by it, of the last backward pass. */
  public Tensor gradient() {
    return bound(gradient);
  }

  void bind(Tensor newValue, Tensor newGradient) {
    value = newValue;
    gradient = newGradient;
  }

  private Tensor bound(@Nullable Tensor tensor) {
    if (tensor == null) {
      throw new IllegalStateException("the parameter has no memory: no ParameterSet holds it");
    }
    return tensor;
  }
}
