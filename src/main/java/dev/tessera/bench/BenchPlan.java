package dev.tessera.bench;

/**
 * What is measured.
 *
 * @param op the op
 * @param n rows, at least 1
 * @param k codes, at least 1
 * @param d length of both, from 1 to 65536
 * @param threads of the stream, from 1 to 1024
 * @param repeats rounds, from 1 to 10000
 * @param device by name
 */
public record BenchPlan(Op op, int n, int k, int d, int threads, int repeats, String device) {
  private static final int MOST_ELEMENTS = Integer.MAX_VALUE - 8; // of an array

  /** Checks the ranges; messages name the options of the command line. */
  public BenchPlan {
    requireRanges(n, k, d, threads, repeats);
  }

  /**
   * Checks a shape and how it is measured.
   *
   * @throws IllegalArgumentException if one is out of range, or arrays would be too large
   */
  public static void requireRanges(int n, int k, int d, int threads, int repeats) {
    requireRange("--n", n, 1, MOST_ELEMENTS);
    requireRange("--k", k, 1, MOST_ELEMENTS);
    requireRange("--d", d, 1, 65_536);
    requireRange("--threads", threads, 1, 1024);
    requireRange("--repeats", repeats, 1, 10_000);
    requireRange("--n times --d", (long) n * d, 1, MOST_ELEMENTS);
    requireRange("--k times --d", (long) k * d, 1, MOST_ELEMENTS);
  }

  private static void requireRange(String what, long value, long low, long high) {
    if (value < low || value > high) {
      throw new IllegalArgumentException(
          what + " must be from " + low + " to " + high + ", not " + value);
    }
  }
}
