package dev.tessera.benchmarks.train;

/**
 * What both sides of a prior's step compute before they are timed, beside {@link StepOutputs};
 * weights have the names and shapes of our files.
 */
public final class PriorOutputs {
  /** Logits {@code [B,H,W,K]}, as one row. */
  public static final String LOGITS = "logits";

  private PriorOutputs() {}

  /**
   * The most that rounding may change. A unit whose input is almost zero may be on either side of
   * its ReLU, which changes gradients by more than rounding does.
   */
  static double bound(String output) {
    return switch (output) {
      case LOGITS, StepOutputs.LOSSES -> 1e-4;
      default -> 5e-3;
    };
  }
}
