package dev.tessera.benchmarks.train;

/**
 * What both sides of a case compute before they are timed, beside {@link StepOutputs}. Images and
 * vectors are compared in our layout, channels last; weights in PyTorch's.
 */
public final class TrainOutputs {
  /** The encoder's output. */
  public static final String VECTORS = "vectors";

  /** The decoder's output for {@link #codesToDecode}. */
  public static final String DECODED = "decoded";

  /** The codes of the first batch, in the whole step. */
  public static final String CODES = "codes";

  /** The codes' vectors after those steps, in the whole step. */
  public static final String CODEBOOK = "codebook";

  private TrainOutputs() {}

  /** All codes in turn, a batch of grids. */
  public static int[] codesToDecode(TrainCase test) {
    int[] codes = new int[test.batch() * test.config().gridHeight() * test.config().gridWidth()];
    for (int i = 0; i < codes.length; i++) {
      codes[i] = i % test.config().quantizer().codes();
    }
    return codes;
  }

  /**
   * The most that rounding may change. A unit whose input is almost zero may be on either side of
   * its ReLU, which changes gradients by more than rounding does. In the whole step a peer that
   * computes distances in fp32 may choose another code where two are almost equally near, which
   * changes the gradients of that row.
   */
  static double bound(TrainCase test, String output) {
    return switch (output) {
      case VECTORS, DECODED -> 1e-4;
      case CODES, StepOutputs.LOSSES -> 1e-3;
      case CODEBOOK -> 1e-2;
      default -> test.wholeStep() ? 2e-2 : 5e-3;
    };
  }
}
