package dev.tessera.data;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/**
 * Turns bytes into the floats that models take: {@code (float) (x / 255.0 + offset)}, so [0, 1]
 * with offset 0 and [-0.5, 0.5] with {@link #CENTRED}. Immutable and safe for many threads.
 */
public final class PixelScaler {
  /** The offset of Keras' and Sonnet's examples: pixels in [-0.5, 0.5]. */
  public static final float CENTRED = -0.5f;

  private final float[] values = new float[256];

  /** A scaler that adds {@code offset} to x / 255. */
  public PixelScaler(float offset) {
    for (int x = 0; x < values.length; x++) {
      values[x] = (float) (x / 255.0 + offset);
    }
  }

  /** The float for a byte, taken as 0 to 255. */
  public float scale(byte pixel) {
    return values[Byte.toUnsignedInt(pixel)];
  }

  /**
   * Writes image {@code index}, {@link ImageDataset#imageSize} floats [height, width, channels], to
   * element {@code first} of {@code target}.
   *
   * @throws IndexOutOfBoundsException if there is no such image, or no room for it
   */
  public void write(ImageDataset data, int index, MemorySegment target, long first) {
    MemorySegment pixels = data.pixels();
    long start = data.start(index);
    int size = data.imageSize();
    for (int i = 0; i < size; i++) {
      int pixel = Byte.toUnsignedInt(pixels.get(ValueLayout.JAVA_BYTE, start + i));
      target.setAtIndex(ValueLayout.JAVA_FLOAT_UNALIGNED, first + i, values[pixel]);
    }
  }
}
