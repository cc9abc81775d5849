package dev.tessera.bench;

import java.util.Arrays;
import java.util.stream.DoubleStream;

/**
 * Median of a sample and its spread, with linear interpolation between values.
 *
 * @param first a quarter is below it
 * @param median half is below it
 * @param third three quarters are below it
 */
public record Quartiles(double first, double median, double third) {
  /** Of at least one value. */
  public static Quartiles of(DoubleStream values) {
    double[] sorted = values.toArray();
    if (sorted.length == 0) {
      throw new IllegalArgumentException("an empty sample has no median");
    }
    Arrays.sort(sorted);
    return new Quartiles(at(sorted, 0.25), at(sorted, 0.5), at(sorted, 0.75));
  }

  private static double at(double[] sorted, double share) {
    double position = share * (sorted.length - 1);
    int below = (int) position;
    int above = Math.min(below + 1, sorted.length - 1);
    return sorted[below] + (position - below) * (sorted[above] - sorted[below]);
  }
}
