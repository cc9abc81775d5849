package dev.tessera.train;

import java.util.Arrays;

/** How often each code was chosen, and what follows from it. */
public final class CodeUsage {
  private final long[] counts;

  /** No choices yet, of {@code codes} codes. */
  public CodeUsage(int codes) {
    this.counts = new long[codes];
  }

  private CodeUsage(long[] counts) {
    this.counts = counts;
  }

  /** Choices that were counted elsewhere. */
  public static CodeUsage of(long[] counts) {
    return new CodeUsage(counts.clone());
  }

  /** Adds a choice of each element. */
  public void add(int[] codes) {
    for (int code : codes) {
      counts[code]++;
    }
  }

  /** Adds the counts of a batch. */
  public void addCounts(int[] batchCounts) {
    for (int k = 0; k < counts.length; k++) {
      counts[k] += batchCounts[k];
    }
  }

  /** Times that each code was chosen. */
  public long[] counts() {
    return counts.clone();
  }

  /** Number of choices. */
  public long total() {
    return Arrays.stream(counts).sum();
  }

  /**
   * exp of the entropy of the share of each code, from 1 (one code) to K (all equally often); 0 if
   * nothing was chosen.
   */
  public double perplexity() {
    return perplexity(counts);
  }

  /** The perplexity of the counts of one batch. */
  static double perplexity(int[] batchCounts) {
    long[] wide = new long[batchCounts.length];
    Arrays.setAll(wide, k -> batchCounts[k]);
    return perplexity(wide);
  }

  private static double perplexity(long[] counts) {
    double total = Arrays.stream(counts).sum();
    if (total == 0) {
      return 0;
    }
    double entropy = 0;
    for (long count : counts) {
      if (count > 0) {
        double share = count / total;
        entropy -= share * Math.log(share);
      }
    }
    return Math.exp(entropy);
  }

  /** Share of codes that were chosen at least once, from 0 to 1. */
  public double usage() {
    int used = 0;
    for (long count : counts) {
      if (count > 0) {
        used++;
      }
    }
    return (double) used / counts.length;
  }
}
