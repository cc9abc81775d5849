package dev.tessera.bench;

import dev.tessera.data.Philox;
import dev.tessera.device.Device;
import dev.tessera.device.Shape;
import dev.tessera.device.Stream;
import dev.tessera.device.Tensor;
import dev.tessera.nn.RandomStreams;
import dev.tessera.vq.KMeans;

/** Codebooks by k-means, of rows that are not those to be searched for. */
final class TrainingRows {
  private static final int ROUNDS = 10;
  private static final int LEAST = 65_536;
  private static final int ROWS_PER_CODE = 4;

  private TrainingRows() {}

  /** How many rows k-means of {@code k} codes should see. */
  static int wanted(int k) {
    return (int) Math.min(Integer.MAX_VALUE / 2, Math.max(LEAST, (long) ROWS_PER_CODE * k));
  }

  /** The centres [K,D] of {@code rows} [.., D]. */
  static float[] centres(float[] rows, int d, int k, long seed) {
    Philox random = new Philox(seed, RandomStreams.BENCHMARK, 3);
    try (Device device = Device.open("cpu");
        Stream stream = device.openStream(Runtime.getRuntime().availableProcessors());
        Tensor x = device.allocate(Shape.of(rows.length / d, d))) {
      x.copyFrom(stream, rows);
      try (Tensor centres = KMeans.centres(stream, x, k, ROUNDS, random)) {
        return centres.toFloats(stream);
      }
    }
  }
}
