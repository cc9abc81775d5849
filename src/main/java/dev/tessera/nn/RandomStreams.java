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

  /** How far images are shifted while a classifier learns; the step is the image's place in it. */
  public static final int SHIFT = 0x300;

  /** Which held-out images are compared with the others. */
  public static final int HALVES = 0x301;

  /** Dropout of a transformer; each place where elements are dropped has the next one. */
  public static final int DROPOUT = 0x400;

  private RandomStreams() {}

  static int parameter(int index) {
    return FIRST_PARAMETER + index;
  }
}
