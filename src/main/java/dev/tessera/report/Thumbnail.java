package dev.tessera.report;

import dev.tessera.io.ImageFiles;
import dev.tessera.io.PixelImage;
import java.io.IOException;
import java.util.Base64;

/** A picture inside the page: a PNG as a data URI. */
record Thumbnail(String source, int width, int height) {
  /** Longest side that is embedded as it is; larger images are shrunk by a whole factor. */
  static final int MOST_SIDE = 256;

  /** Embeds an image. */
  static Thumbnail of(PixelImage image) throws IOException {
    return of(image, MOST_SIDE);
  }

  /** Embeds an image, shrunk by a whole factor if a side is longer than {@code most} pixels. */
  static Thumbnail of(PixelImage image, int most) throws IOException {
    int longest = Math.max(image.width(), image.height());
    PixelImage small = shrunk(image, (longest + most - 1) / most);
    String base64 = Base64.getEncoder().encodeToString(ImageFiles.png(small));
    return new Thumbnail("data:image/png;base64," + base64, small.width(), small.height());
  }

  /** Each pixel the mean of a square of {@code factor} by {@code factor}; what is left is cut. */
  static PixelImage shrunk(PixelImage image, int factor) {
    if (factor == 1) {
      return image;
    }
    int width = Math.max(1, image.width() / factor);
    int height = Math.max(1, image.height() / factor);
    int channels = image.channels();
    byte[] pixels = new byte[width * height * channels];
    for (int i = 0; i < pixels.length; i++) {
      int c = i % channels;
      int left = i / channels % width * factor;
      int top = i / channels / width * factor;
      pixels[i] = mean(image, left, top, c, factor);
    }
    return new PixelImage(height, width, channels, pixels);
  }

  private static byte mean(PixelImage image, int left, int top, int channel, int factor) {
    int right = Math.min(left + factor, image.width());
    int bottom = Math.min(top + factor, image.height());
    long sum = 0;
    for (int y = top; y < bottom; y++) {
      for (int x = left; x < right; x++) {
        sum += image.pixels()[(y * image.width() + x) * image.channels() + channel] & 0xFF;
      }
    }
    int n = (right - left) * (bottom - top);
    return (byte) ((sum + n / 2) / n);
  }

  /** Writes it as an image. */
  void writeTo(Markup out, String description) {
    out.empty(
        "img",
        "src",
        source,
        "alt",
        description,
        "width",
        Integer.toString(width),
        "height",
        Integer.toString(height));
  }
}
