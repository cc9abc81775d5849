package dev.tessera.nn;

/** A framework's default for the weights of convolutions. */
public enum WeightRule {
  /** Keras: Glorot uniform. */
  KERAS,
  /** Sonnet: truncated normal with deviation 1 / sqrt(fan in). */
  SONNET;

  /** Options of a convolution whose weights begin as this framework's do. */
  public ConvOptions conv(
      int inChannels, int outChannels, int kernel, int stride, Activation activation) {
    long positions = (long) kernel * kernel;
    Initializer initializer =
        switch (this) {
          case KERAS -> Initializer.glorotUniform(positions * inChannels, positions * outChannels);
          case SONNET -> Initializer.truncatedNormal(positions * inChannels);
        };
    return new ConvOptions(inChannels, outChannels, kernel, stride, activation, initializer);
  }
}
