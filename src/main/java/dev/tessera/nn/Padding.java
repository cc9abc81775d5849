package dev.tessera.nn;

/**
 * Zeros around an image, per side.
 *
 * @param top rows above
 * @param left columns to the left
 * @param bottom rows below
 * @param right columns to the right
 */
public record Padding(int top, int left, int bottom, int right) {
  /** No padding. */
  public static final Padding NONE = new Padding(0, 0, 0, 0);

  /** The same on every side. */
  public static Padding all(int pixels) {
    return new Padding(pixels, pixels, pixels, pixels);
  }

  /**
   * TensorFlow's and Keras' "same": the output has {@code ceil(size / stride)} pixels. What does
   * not divide evenly goes below and to the right; so a kernel of 3 at stride 2 pads an even image
   * only there.
   */
  public static Padding same(long height, long width, int kernel, int stride) {
    int rows = total(height, kernel, stride);
    int columns = total(width, kernel, stride);
    return new Padding(rows / 2, columns / 2, rows - rows / 2, columns - columns / 2);
  }

  private static int total(long size, int kernel, int stride) {
    long out = (size + stride - 1) / stride;
    return (int) Math.max(0, (out - 1) * stride + kernel - size);
  }
}
