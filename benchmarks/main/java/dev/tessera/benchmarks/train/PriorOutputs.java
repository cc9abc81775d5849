package dev.tessera.benchmarks.train;

/**
 * What both sides of a prior's step compute before they are timed, from the first weights and the
 * first batch; weights have the names and shapes of our files.
 */
public final class PriorOutputs {
  /** Logits {@code [B,H,W,K]}, as one row. */
  public static final String LOGITS = "logits";

  /** Prefix of the gradient of the loss by a parameter, before the parameter's name. */
  public static final String GRADIENT = "gradient.";

  /** The losses of {@link #CHECKED_STEPS} steps: they agree only if the updated weights do. */
  public static final String LOSSES = "losses";

  /** Steps whose losses must agree. */
  public static final int CHECKED_STEPS = 10;

  private PriorOutputs() {}

  /**
   * The most that rounding may change. A unit whose input is almost zero may be on either side of
   * its ReLU, which changes gradients by more than rounding does.
   */
  static double bound(String output) {
    return switch (output) {
      case LOGITS, LOSSES -> 1e-4;
      default -> 5e-3;
    };
  }
}
