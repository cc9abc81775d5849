package dev.tessera.prior;

import org.jspecify.annotations.Nullable;

/**
 * Grids of codes, one an image.
 *
 * @param count number of grids, at least 1
 * @param positions codes of a grid, H W
 * @param values {@code [count,H,W]}; not copied
 * @param labels class of each grid, or null if the images have none; not copied
 */
@SuppressWarnings("ArrayRecordComponent") // large, and never compared
public record Codes(int count, int positions, int[] values, int @Nullable [] labels) {
  /** Checks that the sizes agree. */
  public Codes {
    if (count < 1 || values.length != (long) count * positions) {
      throw new IllegalArgumentException(
          values.length + " codes for " + count + " grids of " + positions);
    }
    if (labels != null && labels.length != count) {
      throw new IllegalArgumentException(labels.length + " labels for " + count + " grids");
    }
  }

  /** Number of classes: one more than the largest label; 0 without labels. */
  public int classes() {
    int most = -1;
    if (labels != null) {
      for (int label : labels) {
        most = Math.max(most, label);
      }
    }
    return most + 1;
  }

  /**
   * The entropy of each position's codes on its own, added up: nats an image that a prior needs
   * which knows how often each code comes at each place, and nothing else.
   *
   * @param codes size of the codebook
   */
  public double positionEntropy(int codes) {
    double sum = 0;
    int[] counts = new int[codes];
    for (int t = 0; t < positions; t++) {
      java.util.Arrays.fill(counts, 0);
      for (int i = 0; i < count; i++) {
        counts[values[i * positions + t]]++;
      }
      for (int n : counts) {
        if (n > 0) {
          sum -= (double) n / count * Math.log((double) n / count);
        }
      }
    }
    return sum;
  }

  /** exp of the entropy of all codes together: how many codes are in use, so to speak. */
  public double perplexity(int codes) {
    long[] counts = new long[codes];
    for (int value : values) {
      counts[value]++;
    }
    double entropy = 0;
    for (long n : counts) {
      if (n > 0) {
        entropy -= (double) n / values.length * Math.log((double) n / values.length);
      }
    }
    return Math.exp(entropy);
  }
}
