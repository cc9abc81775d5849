package dev.tessera.report;

import java.util.Arrays;
import java.util.List;
import java.util.function.ToDoubleFunction;
import java.util.stream.IntStream;

/** A line of a chart: a value a step, where those that are not numbers are gaps. */
final class Series {
  private static final double LARGE = 1e100; // what is beyond would press all else flat

  private final String label;
  private final String style;
  private final double[] steps;
  private final double[] values;

  /**
   * A line.
   *
   * @param label what it is
   * @param style class that the style sheet colours: {@code a} or {@code b}
   * @param steps ascending
   * @param values one a step
   */
  Series(String label, String style, double[] steps, double[] values) {
    if (steps.length != values.length) {
      throw new IllegalArgumentException(steps.length + " steps, " + values.length + " values");
    }
    this.label = label;
    this.style = style;
    this.steps = steps;
    this.values = values;
  }

  /** A figure of each row. */
  static <T> Series of(
      String label,
      String style,
      List<T> rows,
      ToDoubleFunction<T> step,
      ToDoubleFunction<T> value) {
    return new Series(
        label,
        style,
        rows.stream().mapToDouble(step).toArray(),
        rows.stream().mapToDouble(value).toArray());
  }

  /** What it is. */
  String label() {
    return label;
  }

  /** Its class in the style sheet. */
  String style() {
    return style;
  }

  /** Number of points, gaps among them. */
  int size() {
    return steps.length;
  }

  /** Step of a point. */
  double step(int i) {
    return steps[i];
  }

  /** Value of a point, or what stands for a gap. */
  double value(int i) {
    return values[i];
  }

  /** The points without the gaps: a line drawn across what was not measured. */
  Series joined() {
    return pick(IntStream.range(0, values.length).filter(i -> drawable(values[i])).toArray());
  }

  /**
   * At most about {@code most} points that look the same: of each run of points the first, the
   * last, the least and the greatest, so that no peak is lost.
   */
  Series thinned(int most) {
    int n = steps.length;
    int runs = Math.max(1, most / 4);
    if (n <= most) {
      return this;
    }
    boolean[] keep = new boolean[n];
    for (int run = 0; run < runs; run++) {
      int from = (int) ((long) n * run / runs);
      int to = (int) ((long) n * (run + 1) / runs);
      int least = -1;
      int greatest = -1;
      for (int i = from; i < to; i++) {
        if (!drawable(values[i])) {
          continue;
        }
        least = least < 0 || values[i] < values[least] ? i : least;
        greatest = greatest < 0 || values[i] > values[greatest] ? i : greatest;
      }
      keep[from] = true;
      keep[to - 1] = true;
      if (least >= 0) {
        keep[least] = true;
        keep[greatest] = true;
      }
    }
    int[] kept = new int[n];
    int count = 0;
    for (int i = 0; i < n; i++) {
      if (keep[i]) {
        kept[count++] = i;
      }
    }
    return pick(Arrays.copyOf(kept, count));
  }

  /** The last value that is not a gap, or NaN. */
  double last() {
    double[] finite = finiteValues();
    return finite.length == 0 ? Double.NaN : finite[finite.length - 1];
  }

  /** The values without the gaps. */
  double[] finiteValues() {
    return Arrays.stream(values).filter(Series::drawable).toArray();
  }

  private static boolean drawable(double value) {
    return Math.abs(value) < LARGE; // not so for NaN
  }

  private Series pick(int[] kept) {
    return new Series(
        label,
        style,
        Arrays.stream(kept).mapToDouble(i -> steps[i]).toArray(),
        Arrays.stream(kept).mapToDouble(i -> values[i]).toArray());
  }
}
