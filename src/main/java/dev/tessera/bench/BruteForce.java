package dev.tessera.bench;

import java.util.Arrays;
import java.util.stream.IntStream;

/**
 * Nearest codes by the contract and nothing else, to check others with: for every code {@code acc =
 * fma(diff, diff, acc)} in float64 over ascending d, {@code diff = (double) x_d - (double) c_kd};
 * of equal sums the lowest k.
 *
 * <p>Codes lie in tiles [D, TILE], so that the innermost loop runs over codes and the compiler
 * makes vectors of it; each sum is still the contract's chain of additions.
 */
public final class BruteForce {
  private static final int TILE = 256;
  private static final int UNROLL = 4;
  private static final int BLOCK = 64; // rows that a thread takes at a time

  private final int k;
  private final int d;
  private final float[][] tiles; // [D, TILE] each, zeros beyond K

  /** A search among {@code codes} [K,D]. */
  public BruteForce(float[] codes, int d) {
    this.k = codes.length / d;
    this.d = d;
    this.tiles = new float[(k + TILE - 1) / TILE][];
    for (int t = 0; t < tiles.length; t++) {
      tiles[t] = tile(codes, t * TILE);
    }
  }

  /** The nearest code of each of the rows of {@code x} [.., D] that {@code chosen} names. */
  public int[] nearest(float[] x, int[] chosen) {
    int[] codes = new int[chosen.length];
    IntStream.range(0, (chosen.length + BLOCK - 1) / BLOCK)
        .parallel()
        .forEach(block -> search(x, chosen, block * BLOCK, codes));
    return codes;
  }

  private float[] tile(float[] codes, int first) {
    float[] tile = new float[d * TILE];
    for (int c = first; c < Math.min(k, first + TILE); c++) {
      for (int i = 0; i < d; i++) {
        tile[i * TILE + c - first] = codes[c * d + i];
      }
    }
    return tile;
  }

  // Rows from..from+BLOCK: a tile stays in the cache for all of them.
  private void search(float[] x, int[] chosen, int from, int[] codes) {
    int rows = Math.min(BLOCK, chosen.length - from);
    double[] sums = new double[TILE];
    double[] least = new double[rows];
    Arrays.fill(least, Double.POSITIVE_INFINITY);
    for (int t = 0; t < tiles.length; t++) {
      int count = Math.min(TILE, k - t * TILE);
      for (int r = 0; r < rows; r++) {
        distances(x, chosen[from + r] * d, tiles[t], sums);
        double best = least[r];
        for (int c = 0; c < count; c++) {
          if (sums[c] < best) {
            best = sums[c];
            codes[from + r] = t * TILE + c;
          }
        }
        least[r] = best;
      }
    }
  }

  private void distances(float[] x, int at, float[] tile, double[] sums) {
    Arrays.fill(sums, 0);
    int i = 0;
    for (; i + UNROLL <= d; i += UNROLL) {
      addFour(x[at + i], x[at + i + 1], x[at + i + 2], x[at + i + 3], tile, i * TILE, sums);
    }
    for (; i < d; i++) {
      add(x[at + i], tile, i * TILE, sums);
    }
  }

  private static void add(double x, float[] tile, int from, double[] sums) {
    for (int c = 0; c < TILE; c++) {
      double diff = x - tile[from + c];
      sums[c] = Math.fma(diff, diff, sums[c]);
    }
  }

  // Four dimensions, one after the other, for one load and store of the sum.
  private static void addFour(
      double x0, double x1, double x2, double x3, float[] tile, int from, double[] sums) {
    for (int c = 0; c < TILE; c++) {
      double d0 = x0 - tile[from + c];
      double d1 = x1 - tile[from + TILE + c];
      double d2 = x2 - tile[from + 2 * TILE + c];
      double d3 = x3 - tile[from + 3 * TILE + c];
      sums[c] = Math.fma(d3, d3, Math.fma(d2, d2, Math.fma(d1, d1, Math.fma(d0, d0, sums[c]))));
    }
  }
}
