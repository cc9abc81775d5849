package dev.tessera.data;

import org.jspecify.annotations.Nullable;

/**
 * A data set divided for training.
 *
 * @param name what it is, such as {@code mnist}
 * @param train images to train on
 * @param heldOut images to measure on while training and by {@code eval}
 * @param test images to leave alone until the end, where the source has a third part (CIFAR-10 by
 *     Sonnet's division)
 */
public record DatasetSplit(
    String name, ImageDataset train, ImageDataset heldOut, @Nullable ImageDataset test) {
  /**
   * Checks that all parts have images, and of the same size.
   *
   * @throws IllegalArgumentException if not
   */
  public DatasetSplit {
    requireLike(train, heldOut);
    if (test != null) {
      requireLike(train, test);
    }
  }

  private static void requireLike(ImageDataset train, ImageDataset other) {
    if (train.count() == 0 || other.count() == 0) {
      throw new IllegalArgumentException(train + " and " + other + " must both have images");
    }
    if (train.height() != other.height()
        || train.width() != other.width()
        || train.channels() != other.channels()) {
      throw new IllegalArgumentException(train + " and " + other + " differ in image size");
    }
  }
}
