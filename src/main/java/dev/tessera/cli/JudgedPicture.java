package dev.tessera.cli;

import dev.tessera.data.ImageDataset;
import dev.tessera.io.ImageGrid;
import dev.tessera.io.PixelImage;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.stream.IntStream;

/** All samples class by class, those that were taken for another class in a red frame. */
final class JudgedPicture {
  private static final int COLUMNS = 50;

  private JudgedPicture() {}

  /**
   * A picture of all samples.
   *
   * @param samples with the classes asked for as labels, or without
   * @param taken the class that each was taken for
   */
  static PixelImage of(ImageDataset samples, int[] taken) {
    List<PixelImage> images = new ArrayList<>();
    IntStream.range(0, samples.count())
        .boxed()
        .sorted(Comparator.comparingInt(i -> samples.hasLabels() ? samples.label(i) : 0))
        .forEach(
            i -> {
              boolean wrong = samples.hasLabels() && samples.label(i) != taken[i];
              PixelImage image = samples.image(i).toRgb();
              images.add(wrong ? framed(image) : image);
            });
    return ImageGrid.of(images, COLUMNS);
  }

  private static PixelImage framed(PixelImage image) {
    byte[] pixels = image.pixels().clone();
    int height = image.height();
    int width = image.width();
    for (int y = 0; y < height; y++) {
      for (int x = 0; x < width; x++) {
        if (y == 0 || x == 0 || y == height - 1 || x == width - 1) {
          int at = (y * width + x) * 3;
          pixels[at] = (byte) 255;
          pixels[at + 1] = 0;
          pixels[at + 2] = 0;
        }
      }
    }
    return new PixelImage(height, width, 3, pixels);
  }
}
