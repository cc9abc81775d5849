package dev.tessera.io;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/**
 * An image of 8-bit pixels in memory, rows from the top, channels last: [height, width, channels]
 * with 1 channel (grey) or 3 (red, green, blue).
 */
public final class PixelImage {
  private final int height;
  private final int width;
  private final int channels;
  private final byte[] pixels;

  /**
   * An image over {@code pixels}, without a copy.
   *
   * @throws IllegalArgumentException if a side is below 1, channels are neither 1 nor 3, or {@code
   *     pixels} has not exactly {@code height * width * channels} bytes
   */
  public PixelImage(int height, int width, int channels, byte[] pixels) {
    if (height < 1 || width < 1 || (channels != 1 && channels != 3)) {
      throw new IllegalArgumentException(
          height + "x" + width + "x" + channels + " is no image; channels must be 1 or 3");
    }
    if (pixels.length != (long) height * width * channels) {
      throw new IllegalArgumentException(
          pixels.length + " bytes for an image of " + height + "x" + width + "x" + channels);
    }
    this.height = height;
    this.width = width;
    this.channels = channels;
    this.pixels = pixels;
  }

  /**
   * An image of what a model gives: the floats [height, width, channels] at element {@code first}
   * of {@code values}, which are pixel/255 + {@code offset}. Values beyond the range are clamped,
   * NaN becomes black.
   */
  public static PixelImage ofFloats(
      MemorySegment values, long first, int height, int width, int channels, float offset) {
    byte[] pixels = new byte[Math.multiplyExact(Math.multiplyExact(height, width), channels)];
    for (int i = 0; i < pixels.length; i++) {
      float value = values.getAtIndex(ValueLayout.JAVA_FLOAT_UNALIGNED, first + i);
      pixels[i] = (byte) Math.clamp(Math.round((value - offset) * 255.0f), 0, 255);
    }
    return new PixelImage(height, width, channels, pixels);
  }

  /** Rows. */
  public int height() {
    return height;
  }

  /** Columns. */
  public int width() {
    return width;
  }

  /** 1 (grey) or 3 (red, green, blue). */
  public int channels() {
    return channels;
  }

  /** The pixels themselves, not a copy: [height, width, channels]. */
  public byte[] pixels() {
    return pixels;
  }

  /** This image with 3 channels: itself, or its grey value in each of them. */
  public PixelImage toRgb() {
    if (channels == 3) {
      return this;
    }
    byte[] rgb = new byte[Math.multiplyExact(pixels.length, 3)];
    for (int i = 0; i < rgb.length; i++) {
      rgb[i] = pixels[i / 3];
    }
    return new PixelImage(height, width, 3, rgb);
  }
}
