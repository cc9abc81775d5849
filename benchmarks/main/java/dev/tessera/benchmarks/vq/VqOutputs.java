package dev.tessera.benchmarks.vq;

/** What every library computes before it is timed. */
public final class VqOutputs {
  /** The code of every row of the first batch, i32 [N]. */
  public static final String CODES = "codes";

  /** The quantised rows [N,D] of the first batch. */
  public static final String VECTORS = "vectors";

  /** The gradient [N,D] by the rows of the first batch. */
  public static final String GRADIENT = "gradient";

  /** The losses of {@link #CHECKED_STEPS} steps, f64. */
  public static final String LOSSES = "losses";

  /** The codes' vectors [K,D] after them. */
  public static final String CODEBOOK = "codebook";

  /** Steps whose losses must agree. */
  public static final int CHECKED_STEPS = 5;

  private VqOutputs() {}

  /**
   * The most that rounding may change. A row that is as near to two codes, but for rounding, may
   * take either; its vector and its gradient are then another code's.
   */
  public static double bound(String output) {
    return switch (output) {
      case LOSSES -> 1e-4;
      case CODES -> 2e-3;
      default -> 1e-2;
    };
  }
}
