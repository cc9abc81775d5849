package dev.tessera.bench;

import dev.tessera.data.Philox;
import dev.tessera.io.ElementType;
import dev.tessera.io.HostArray;
import dev.tessera.io.MalformedFileException;
import dev.tessera.io.Npy;
import dev.tessera.nn.RandomStreams;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.nio.file.Path;
import org.jspecify.annotations.Nullable;

/**
 * Rows of a {@code .npy} file, f32 [rows, D], drawn without repetition. The codes are another
 * file's, or k-means of rows that were not drawn.
 *
 * @param rows the file of rows
 * @param codes the file of codes, f32 [K, D]; null for k-means
 * @param seed of the draw and of k-means
 */
public record FileVectors(Path rows, @Nullable Path codes, long seed) implements VectorSource {
  /** The number of rows, or of codes, in a file of f32 [count, D]. */
  public static int count(Path file) throws IOException {
    return Math.toIntExact(shape(file)[0]);
  }

  /** D of a file of f32 [count, D]. */
  public static int dim(Path file) throws IOException {
    return Math.toIntExact(shape(file)[1]);
  }

  /** All rows of one file, and the codes of another, in their order. */
  public static VectorData readAll(Path rows, Path codes) throws IOException {
    int d = dim(codes);
    return new VectorData(read(rows, d), read(codes, d), d, rows + " and " + codes);
  }

  @Override
  public String description() {
    return "rows of "
        + rows
        + ", codes "
        + (codes == null ? "by k-means of others" : "of " + codes);
  }

  @Override
  public VectorData draw(int n, int k, int d) throws IOException {
    float[] all = read(rows, d);
    int count = all.length / d;
    if (count < n) {
      throw new IllegalArgumentException(rows + " has " + count + " rows, fewer than --n " + n);
    }
    int[] order = order(count);
    float[] drawn = Rows.pick(all, d, order, 0, n);
    if (codes != null) {
      float[] given = read(codes, d);
      if (given.length / d != k) {
        throw new IllegalArgumentException(
            codes + " has " + given.length / d + " codes, not --k " + k);
      }
      return new VectorData(drawn, given, d, "rows of " + rows + ", codes of " + codes);
    }
    int left = Math.min(count - n, TrainingRows.wanted(k));
    if (left < k) {
      throw new IllegalArgumentException(
          rows
              + " has "
              + count
              + " rows; --n "
              + n
              + " and k-means of "
              + k
              + " codes on others need "
              + ((long) n + k));
    }
    float[] centres = TrainingRows.centres(Rows.pick(all, d, order, n, left), d, k, seed);
    return new VectorData(
        drawn, centres, d, "rows of " + rows + ", codes by k-means of " + left + " others");
  }

  private int[] order(int count) {
    int[] order = new int[count];
    for (int i = 0; i < count; i++) {
      order[i] = i;
    }
    new Philox(seed, RandomStreams.BENCHMARK, 2).shuffle(order);
    return order;
  }

  private static float[] read(Path file, int d) throws IOException {
    try (Arena arena = Arena.ofConfined()) {
      HostArray array = vectors(file, Npy.read(file, arena));
      if (array.shape()[1] != d) {
        throw new IllegalArgumentException(
            file + " is " + array + ", and vectors of " + d + " numbers are wanted");
      }
      return array.toFloats();
    }
  }

  private static long[] shape(Path file) throws IOException {
    try (Arena arena = Arena.ofConfined()) {
      return vectors(file, Npy.read(file, arena)).shape();
    }
  }

  private static HostArray vectors(Path file, HostArray array) throws MalformedFileException {
    long[] shape = array.shape();
    if (array.type() != ElementType.F32
        || shape.length != 2
        || array.elements() == 0
        || array.elements() > Integer.MAX_VALUE - 8) {
      throw new MalformedFileException(
          file, "is " + array + " and should be F32[rows, D], of at least one number");
    }
    return array;
  }
}
