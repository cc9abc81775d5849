package dev.tessera.io;

/**
 * What a PNG or JPEG file says about itself before its pixels.
 *
 * @param height rows
 * @param width columns
 * @param channels 1 (grey) or 3 (red, green, blue) once decoded
 */
public record ImageHeader(int height, int width, int channels) {
  /** Size as messages show it, such as {@code 32x48 RGB}; width first, as image tools have it. */
  @Override
  public String toString() {
    return width + "x" + height + (channels == 1 ? " grey" : " RGB");
  }
}
