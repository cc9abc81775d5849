package dev.tessera.judge;

import dev.tessera.data.DatasetSplit;
import dev.tessera.data.ImageDataset;
import dev.tessera.data.Philox;
import dev.tessera.model.VqVaeConfig.ImageConfig;
import java.lang.foreign.MemorySegment;

/** A toy set of three classes: a bar across, a bar down, a diagonal; anywhere, in noise. */
final class Bars {
  static final int SIDE = 12;

  static final ClassifierConfig CONFIG =
      new ClassifierConfig(
          "bars",
          new ImageConfig(SIDE, SIDE, 1),
          3,
          new ClassifierConfig.NetworkConfig(12, 16, 24),
          new ClassifierConfig.TrainingConfig(32, 8, 0.003, 1));

  private Bars() {}

  static DatasetSplit split(long seed) {
    return new DatasetSplit(
        "bars", images("bars-train", 480, seed), images("bars-test", 200, seed + 1), null);
  }

  static ImageDataset images(String name, int count, long seed) {
    Philox random = new Philox(seed, 0x7011, 0);
    byte[] pixels = new byte[count * SIDE * SIDE];
    byte[] labels = new byte[count];
    for (int i = 0; i < count; i++) {
      labels[i] = (byte) random.nextInt(3);
      int at = 2 + random.nextInt(SIDE - 4);
      for (int y = 0; y < SIDE; y++) {
        for (int x = 0; x < SIDE; x++) {
          boolean on =
              switch (labels[i]) {
                case 0 -> y == at;
                case 1 -> x == at;
                default -> (x + y) % SIDE == at;
              };
          int value = (on ? 180 : 0) + random.nextInt(70);
          pixels[(i * SIDE + y) * SIDE + x] = (byte) value;
        }
      }
    }
    return ImageDataset.of(name, SIDE, SIDE, 1, MemorySegment.ofArray(pixels), labels);
  }

  /** The same images with labels of the caller's, or none. */
  static ImageDataset relabelled(ImageDataset images, byte[] labels) {
    byte[] pixels = new byte[images.count() * images.imageSize()];
    for (int i = 0; i < images.count(); i++) {
      images.read(i, MemorySegment.ofArray(pixels), (long) i * images.imageSize());
    }
    return ImageDataset.of(
        images.name() + "-relabelled",
        images.height(),
        images.width(),
        images.channels(),
        MemorySegment.ofArray(pixels),
        labels);
  }
}
