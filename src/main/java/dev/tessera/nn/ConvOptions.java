package dev.tessera.nn;

/**
 * What distinguishes one convolution from another.
 *
 * @param inChannels channels of the input, at least 1
 * @param outChannels channels of the output, at least 1
 * @param kernel height and width of the kernel
 * @param stride step between outputs (for a transposed convolution: between inputs)
 * @param activation applied to the output
 * @param initializer of the weights; biases begin at 0
 */
public record ConvOptions(
    int inChannels,
    int outChannels,
    int kernel,
    int stride,
    Activation activation,
    Initializer initializer) {
  /** Checks the ranges. */
  public ConvOptions {
    if (inChannels < 1 || outChannels < 1 || kernel < 1 || stride < 1) {
      throw new IllegalArgumentException(
          "a convolution needs channels, kernel and stride of at least 1, not "
              + inChannels
              + " to "
              + outChannels
              + " channels, kernel "
              + kernel
              + ", stride "
              + stride);
    }
  }
}
