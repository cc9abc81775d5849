package dev.tessera.io;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/** Lays images of one size out in rows, for pictures to look at. */
public final class ImageGrid {
  private static final int GAP = 2;
  private static final byte GAP_VALUE = (byte) 255;

  private ImageGrid() {}

  /**
   * Puts {@code images} from left to right into rows of {@code columns}, two white pixels apart;
   * the last row may be shorter.
   *
   * @throws IllegalArgumentException if there are no images, they differ in size or channels, or
   *     {@code columns} is below 1
   */
  public static PixelImage of(List<PixelImage> images, int columns) {
    if (images.isEmpty() || columns < 1) {
      throw new IllegalArgumentException(
          images.size() + " images in " + columns + " columns; both must be at least 1");
    }
    PixelImage first = images.getFirst();
    int across = Math.min(columns, images.size());
    int down = (images.size() + across - 1) / across;
    int height = Math.addExact(Math.multiplyExact(down, first.height() + GAP), -GAP);
    int width = Math.addExact(Math.multiplyExact(across, first.width() + GAP), -GAP);
    int rowBytes = Math.multiplyExact(width, first.channels());
    byte[] pixels = new byte[Math.multiplyExact(height, rowBytes)];
    Arrays.fill(pixels, GAP_VALUE);
    for (int i = 0; i < images.size(); i++) {
      PixelImage image = images.get(i);
      if (image.height() != first.height()
          || image.width() != first.width()
          || image.channels() != first.channels()) {
        throw new IllegalArgumentException("image " + i + " differs in size from the first");
      }
      int length = image.width() * image.channels();
      int left = i % across * (image.width() + GAP) * image.channels();
      int top = i / across * (image.height() + GAP);
      for (int y = 0; y < image.height(); y++) {
        System.arraycopy(image.pixels(), y * length, pixels, (top + y) * rowBytes + left, length);
      }
    }
    return new PixelImage(height, width, first.channels(), pixels);
  }

  /**
   * The first images of a grid that {@link #of} laid out, in its order.
   *
   * @param height of an image
   * @param width of an image
   * @param most that are wanted; the grid may have fewer places
   * @throws IllegalArgumentException if the grid is not one of such images
   */
  public static List<PixelImage> images(PixelImage grid, int height, int width, int most) {
    if ((grid.height() + GAP) % (height + GAP) != 0 || (grid.width() + GAP) % (width + GAP) != 0) {
      throw new IllegalArgumentException(
          "a picture of %d x %d pixels is no grid of images of %d x %d"
              .formatted(grid.height(), grid.width(), height, width));
    }
    int across = (grid.width() + GAP) / (width + GAP);
    int places = (grid.height() + GAP) / (height + GAP) * across;
    int length = width * grid.channels();
    List<PixelImage> images = new ArrayList<>();
    for (int i = 0; i < Math.min(most, places); i++) {
      byte[] pixels = new byte[height * length];
      int left = i % across * (width + GAP) * grid.channels();
      int top = i / across * (height + GAP);
      for (int y = 0; y < height; y++) {
        int from = (top + y) * grid.width() * grid.channels() + left;
        System.arraycopy(grid.pixels(), from, pixels, y * length, length);
      }
      images.add(new PixelImage(height, width, grid.channels(), pixels));
    }
    return images;
  }
}
