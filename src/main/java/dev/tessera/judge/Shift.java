package dev.tessera.judge;

import java.util.Arrays;

/** Moves images by whole pixels, as writers do: a digit is the same a pixel further. */
final class Shift {
  private Shift() {}

  /**
   * Writes an image, moved down and right (up and left if negative); what comes in from outside is
   * {@code background}.
   *
   * @param image {@code [H,W,C]}
   * @param down less than H in amount
   * @param right less than W in amount
   * @param out gets the moved image from element {@code at} on
   */
  static void write(
      float[] image,
      int height,
      int width,
      int channels,
      int down,
      int right,
      float background,
      float[] out,
      int at) {
    Arrays.fill(out, at, at + image.length, background);
    int columns = width - Math.abs(right);
    for (int y = Math.max(0, down); y < height + Math.min(0, down); y++) {
      System.arraycopy(
          image,
          ((y - down) * width + Math.max(0, -right)) * channels,
          out,
          at + (y * width + Math.max(0, right)) * channels,
          columns * channels);
    }
  }
}
