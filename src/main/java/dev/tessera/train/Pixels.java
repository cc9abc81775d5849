package dev.tessera.train;

import dev.tessera.data.ImageDataset;
import dev.tessera.data.PixelScaler;
import java.lang.foreign.MemorySegment;

/**
 * Between bytes of images and what networks see: {@code byte / 255 - 0.5}, as in Sonnet and Keras.
 */
public final class Pixels {
  /** What is taken from pixels in [0, 1]. */
  public static final float OFFSET = -PixelScaler.CENTRED;

  private static final PixelScaler SCALER = new PixelScaler(PixelScaler.CENTRED);

  private Pixels() {}

  /** Writes images {@code from} to {@code from + count} of {@code data}, scaled, to {@code out}. */
  public static void read(ImageDataset data, int from, int count, float[] out) {
    MemorySegment target = MemorySegment.ofArray(out);
    for (int i = 0; i < count; i++) {
      SCALER.write(data, from + i, target, (long) i * data.imageSize());
    }
  }

  /** From the networks' range to [0, 1], clipped, in place. */
  public static void toUnit(float[] values) {
    for (int i = 0; i < values.length; i++) {
      values[i] = Math.clamp(values[i] + OFFSET, 0f, 1f);
    }
  }

  /** From the networks' range to bytes, clipped and rounded. */
  public static byte[] toBytes(float[] values) {
    byte[] bytes = new byte[values.length];
    for (int i = 0; i < values.length; i++) {
      bytes[i] = (byte) Math.round(Math.clamp(values[i] + OFFSET, 0f, 1f) * 255f);
    }
    return bytes;
  }
}
