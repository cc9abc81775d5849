package dev.tessera.vq;

import dev.tessera.data.Philox;
import dev.tessera.device.DataType;
import dev.tessera.device.Device;
import dev.tessera.device.Shape;
import dev.tessera.device.Stream;
import dev.tessera.device.Tensor;

/** Lloyd's k-means on a device, for codebooks that begin where the data is. */
public final class KMeans {
  private KMeans() {}

  /**
   * The centres of {@code x} [N,D] after some rounds of Lloyd's algorithm from {@code k} different
   * random rows; a centre that nobody chose moves to a random row.
   *
   * @param rounds at least 1
   * @return the centres [K,D], to be closed by the caller
   * @throws IllegalArgumentException if there are fewer rows than centres
   */
  public static Tensor centres(Stream stream, Tensor x, int k, int rounds, Philox random) {
    Device device = stream.device();
    int n = Math.toIntExact(x.shape().dim(0));
    int d = Math.toIntExact(x.shape().dim(1));
    if (n < k) {
      throw new IllegalArgumentException(
          "k-means needs at least as many vectors as codes: " + n + " for " + k);
    }
    float[] rows = x.toFloats(stream);
    float[] centres = new float[k * d];
    int[] order = new int[n];
    for (int i = 0; i < n; i++) {
      order[i] = i;
    }
    random.shuffle(order);
    for (int i = 0; i < k; i++) {
      System.arraycopy(rows, order[i] * d, centres, i * d, d);
    }
    Tensor result = device.allocate(Shape.of(k, d));
    result.copyFrom(stream, centres);
    try (Codebook book = Codebook.open(stream, result);
        Tensor codes = device.allocate(Shape.of(n), DataType.I32);
        Tensor counts = device.allocate(Shape.of(k), DataType.I32);
        Tensor sums = device.allocate(Shape.of(k, d))) {
      for (int round = 0; round < rounds; round++) {
        book.quantize(stream, x, codes, null, null, counts, sums);
        move(centres, rows, counts.toInts(stream), sums.toFloats(stream), random);
        result.copyFrom(stream, centres);
        book.update(stream, result);
      }
    }
    return result;
  }

  private static void move(
      float[] centres, float[] rows, int[] counts, float[] sums, Philox random) {
    int k = counts.length;
    int d = centres.length / k;
    for (int i = 0; i < k; i++) {
      if (counts[i] == 0) {
        int row = random.nextInt(rows.length / d);
        System.arraycopy(rows, row * d, centres, i * d, d);
      } else {
        for (int j = i * d; j < (i + 1) * d; j++) {
          centres[j] = sums[j] / counts[i];
        }
      }
    }
  }
}
