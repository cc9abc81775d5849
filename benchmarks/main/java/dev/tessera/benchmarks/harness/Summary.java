package dev.tessera.benchmarks.harness;

import java.util.Arrays;

/**
 * Order statistics of a sample, with linear interpolation between its values.
 *
 * @param count size of the sample
 * @param min the least value
 * @param quartile1 a quarter is below it
 * @param median half is below it
 * @param quartile3 three quarters are below it
 * @param max the greatest value
 */
public record Summary(
    int count, double min, double quartile1, double median, double quartile3, double max) {
  /** Summarises at least one value. */
  public static Summary of(double... values) {
    if (values.length == 0) {
      throw new IllegalArgumentException("an empty sample has no median");
    }
    double[] sorted = values.clone();
    Arrays.sort(sorted);
    return new Summary(
        sorted.length,
        sorted[0],
        quantile(sorted, 0.25),
        quantile(sorted, 0.5),
        quantile(sorted, 0.75),
        sorted[sorted.length - 1]);
  }

  private static double quantile(double[] sorted, double q) {
    double position = q * (sorted.length - 1);
    int below = (int) position;
    int above = Math.min(below + 1, sorted.length - 1);
    return sorted[below] + (position - below) * (sorted[above] - sorted[below]);
  }
}
