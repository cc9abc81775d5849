package dev.tessera.benchmarks.train;

import dev.tessera.data.Datasets;
import dev.tessera.model.VqVaeConfig.ImageConfig;
import dev.tessera.train.Pixels;
import java.util.Random;

/**
 * Images to train on: digits of MNIST for its net, and smooth random colour images in CIFAR-10's
 * shape, which no jar holds. [N,H,W,C] in [-0.5, 0.5].
 */
final class TrainImages {
  private static final int WAVES = 4;

  private TrainImages() {}

  static float[] of(TrainCase test, int count) {
    ImageConfig image = test.config().image();
    float[] pixels = new float[count * image.height() * image.width() * image.channels()];
    switch (test.kind()) {
      case KERAS -> Pixels.read(Datasets.embeddedDigits().train(), 0, count, pixels);
      case SONNET -> {
        Random random = new Random(1);
        for (int i = 0; i < count; i++) {
          for (int c = 0; c < image.channels(); c++) {
            addPlane(pixels, i, c, image, random);
          }
        }
      }
    }
    return pixels;
  }

  // A few plane waves, the slower the stronger, as in photographs.
  private static void addPlane(float[] out, int i, int c, ImageConfig image, Random random) {
    double[][] waves = new double[WAVES][];
    for (int w = 0; w < WAVES; w++) {
      waves[w] =
          new double[] {
            random.nextDouble(-w - 1, w + 1),
            random.nextDouble(-w - 1, w + 1),
            random.nextDouble(),
            random.nextGaussian() / (w + 1)
          };
    }
    for (int y = 0; y < image.height(); y++) {
      for (int x = 0; x < image.width(); x++) {
        double value = 0;
        for (double[] w : waves) {
          double turns = w[0] * y / image.height() + w[1] * x / image.width() + w[2];
          value += 0.25 * w[3] * Math.cos(2 * Math.PI * turns);
        }
        int pixel = (i * image.height() + y) * image.width() + x;
        out[pixel * image.channels() + c] = (float) Math.clamp(value, -0.5, 0.5);
      }
    }
  }
}
