package dev.tessera.benchmarks.vq;

import dev.tessera.bench.BruteForce;
import java.util.Arrays;
import java.util.Locale;

/**
 * Whether another library's codes are nearest codes as well. Where two codes are almost equally
 * near, rounding decides, so it is distances that are compared: in float64, relative to the squared
 * norms of row and code, which is what the rounding of {@code |x|^2 + |c|^2 - 2xc} is proportional
 * to.
 *
 * @param differing rows with another code than the float64 answer
 * @param rows that were compared
 * @param worst largest excess of a squared distance over the nearest one's, relative to |x|^2 +
 *     |c|^2
 */
public record NearestAgreement(long differing, long rows, double worst) {
  /** What fp32 arithmetic may lose: some 80 roundings. */
  public static final double BOUND = 1e-5;

  private static final double MOST_PRODUCTS = 2e9; // of a check against all codes

  /** The float64 answer, found once for all who are compared with it. */
  public static final class Truth {
    private final VqInputs inputs;
    private final int[] nearest; // of all rows, or of the first where all would take long

    private Truth(VqInputs inputs, int[] nearest) {
      this.inputs = inputs;
      this.nearest = nearest;
    }

    /** Searches the inputs' rows, or as many of them as a few seconds allow. */
    public static Truth of(VqInputs inputs) {
      int d = inputs.d();
      int checked = (int) Math.clamp(MOST_PRODUCTS / ((double) inputs.k() * d), 1, inputs.n());
      int[] chosen = new int[checked];
      Arrays.setAll(chosen, i -> i);
      return new Truth(inputs, new BruteForce(inputs.codes(), d).nearest(inputs.rows(), chosen));
    }
  }

  /** Whether the codes count as the same answer. */
  public boolean ok() {
    return worst <= BOUND;
  }

  /** For people. */
  public String text() {
    return String.format(
        Locale.ROOT,
        "%d of %d codes differ, all as near within %.0e",
        differing,
        rows,
        Math.max(worst, 1e-16));
  }

  /**
   * Compares {@code codes} of all rows with the float64 answer.
   *
   * @throws IllegalStateException if a code is out of range
   */
  public static NearestAgreement of(Truth truth, int[] codes) {
    VqInputs inputs = truth.inputs;
    int[] right = truth.nearest;
    if (codes.length != inputs.n()) {
      throw new IllegalStateException(codes.length + " codes for " + inputs.n() + " rows");
    }
    long differing = 0;
    double worst = 0;
    for (int i = 0; i < right.length; i++) {
      if (codes[i] < 0 || codes[i] >= inputs.k()) {
        throw new IllegalStateException("row " + i + " has code " + codes[i]);
      }
      if (codes[i] != right[i]) {
        differing++;
        worst = Math.max(worst, excess(inputs, i, codes[i], right[i]));
      }
    }
    return new NearestAgreement(differing, right.length, worst);
  }

  private static double excess(VqInputs inputs, int row, int code, int right) {
    double found = 0;
    double least = 0;
    double size = 0;
    for (int i = 0; i < inputs.d(); i++) {
      double x = inputs.rows()[row * inputs.d() + i];
      double c = inputs.codes()[code * inputs.d() + i];
      double r = inputs.codes()[right * inputs.d() + i];
      found += (x - c) * (x - c);
      least += (x - r) * (x - r);
      size += x * x + c * c;
    }
    return (found - least) / size;
  }
}
