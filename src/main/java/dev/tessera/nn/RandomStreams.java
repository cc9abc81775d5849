package dev.tessera.nn;

/**
 * The random streams of Philox in use: one a purpose, so that no two purposes share numbers under
 * the same seed. Shuffling has its own in the data package.
 */
public final class RandomStreams {
  private static final int FIRST_PARAMETER = 0x1000;

  /** Initialisation of the codebook. */
  public static final int CODEBOOK = 0x100;

  /** Rows and codes of benchmarks; the step tells their uses apart. */
  public static final int BENCHMARK = 0x200;

  /** Dropout of a transformer; each place where elements are dropped has the next one. */
  public static final int DROPOUT = 0x400;

  private RandomStreams() {}

  static int parameter(int index) {
    return FIRST_PARAMETER + index;
  }
}
