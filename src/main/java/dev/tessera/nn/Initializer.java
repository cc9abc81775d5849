package dev.tessera.nn;

import dev.tessera.data.Philox;

/**
 * Draws the first values of a parameter. Numbers come from Philox and StrictMath, so a seed gives
 * the same weights on every machine.
 */
@FunctionalInterface
public interface Initializer {
  /** Fills {@code values}, in the order that they have in memory. */
  void fill(float[] values, Philox random);

  /** All zeros. */
  Initializer ZEROS = (values, random) -> {};

  /** Uniform in [-limit, limit). */
  static Initializer uniform(double limit) {
    return (values, random) -> {
      for (int i = 0; i < values.length; i++) {
        values[i] = (float) ((2.0 * random.nextDouble() - 1.0) * limit);
      }
    };
  }

  /**
   * Glorot and Bengio 2010, uniform: limit sqrt(6 / (fanIn + fanOut)). The default of Keras'
   * layers; the fans count the kernel's positions, {@code kernelHeight * kernelWidth * channels}.
   */
  static Initializer glorotUniform(long fanIn, long fanOut) {
    return uniform(Math.sqrt(6.0 / (fanIn + fanOut)));
  }

  /**
   * Normal with standard deviation 1 / sqrt(fanIn), redrawn beyond two deviations. The default of
   * Sonnet's layers ({@code snt.Conv2D}, {@code snt.initializers.TruncatedNormal}).
   */
  static Initializer truncatedNormal(long fanIn) {
    double deviation = 1.0 / Math.sqrt((double) fanIn);
    return (values, random) -> {
      for (int i = 0; i < values.length; i++) {
        values[i] = (float) (random.nextTruncatedNormal() * deviation);
      }
    };
  }
}
