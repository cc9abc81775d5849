package dev.tessera.data;

/**
 * Random numbers by Philox4x32-10 (Salmon, Moraes, Dror, Shaw 2011, "Parallel random numbers: as
 * easy as 1, 2, 3"), a counter-based generator: word {@code i} of a sequence is a function of
 * (seed, stream, step, i) and of nothing else, so a resumed run draws what an uninterrupted one
 * does.
 *
 * <p>Key and counter are laid out as {@code ts_random_uniform} of {@code tessera.h} documents: word
 * {@code i} is word {@code i % 4} of the block with key (lo32 seed, hi32 seed) and counter (i / 4,
 * stream, lo32 step, hi32 step). {@link #nextFloat} gives the same bits as that function over [0,
 * 1). The distributions use {@link StrictMath}, so they have the same bits on every machine.
 *
 * <p>A sequence has 2<sup>34</sup> words and then starts over. Not thread-safe: one object a
 * thread.
 */
public final class Philox {
  /** The streams below this number belong to this package; see {@link #SHUFFLE}. */
  public static final int FIRST_FREE_STREAM = 0x100;

  /** Stream of the order of images; its step is the epoch. */
  static final int SHUFFLE = 1;

  private static final int ROUNDS = 10;
  private static final int M0 = 0xD2511F53;
  private static final int M1 = 0xCD9E8D57;
  private static final int W0 = 0x9E3779B9;
  private static final int W1 = 0xBB67AE85;
  private static final long LOW_32 = 0xFFFFFFFFL;

  private final long seed;
  private final int stream;
  private final long step;
  private final int[] block = new int[4];
  private long position;
  private double spareNormal = Double.NaN;

  /** The sequence of (seed, stream, step), at its first word. */
  public Philox(long seed, int stream, long step) {
    this.seed = seed;
    this.stream = stream;
    this.step = step;
  }

  /**
   * The bijection itself: replaces the counter in {@code block} (4 words) by its random words, ten
   * rounds under key ({@code key0}, {@code key1}).
   */
  static void bijection(int[] block, int key0, int key1) {
    int c0 = block[0];
    int c1 = block[1];
    int c2 = block[2];
    int c3 = block[3];
    int k0 = key0;
    int k1 = key1;
    for (int round = 0; round < ROUNDS; round++) {
      long p0 = (M0 & LOW_32) * (c0 & LOW_32);
      long p1 = (M1 & LOW_32) * (c2 & LOW_32);
      c0 = (int) (p1 >>> 32) ^ c1 ^ k0;
      c1 = (int) p1;
      c2 = (int) (p0 >>> 32) ^ c3 ^ k1;
      c3 = (int) p0;
      k0 += W0;
      k1 += W1;
    }
    block[0] = c0;
    block[1] = c1;
    block[2] = c2;
    block[3] = c3;
  }

  /** The next word, all 2<sup>32</sup> values alike. */
  public int nextInt() {
    int lane = (int) (position & 3);
    if (lane == 0) {
      block[0] = (int) (position >>> 2);
      block[1] = stream;
      block[2] = (int) step;
      block[3] = (int) (step >>> 32);
      bijection(block, (int) seed, (int) (seed >>> 32));
    }
    position++;
    return block[lane];
  }

  /**
   * An integer in [0, bound), each exactly as likely (Lemire 2019, "Fast random integer generation
   * in an interval"): takes one word, rarely more.
   *
   * @throws IllegalArgumentException if {@code bound} is below 1
   */
  public int nextInt(int bound) {
    if (bound < 1) {
      throw new IllegalArgumentException("bound is " + bound + " and must be at least 1");
    }
    long product = (nextInt() & LOW_32) * bound;
    if ((product & LOW_32) < bound) {
      long threshold = (1L << 32) % bound;
      while ((product & LOW_32) < threshold) {
        product = (nextInt() & LOW_32) * bound;
      }
    }
    return (int) (product >>> 32);
  }

  /** Uniform in [0, 1) with 24 bits, from one word: {@code (word >>> 8) * 2^-24}. */
  public float nextFloat() {
    return (nextInt() >>> 8) * 0x1p-24f;
  }

  /**
   * Uniform in [0, 1) with 53 bits, from two words: the upper 27 bits of the first and the upper 26
   * of the second.
   */
  public double nextDouble() {
    long high = (nextInt() & LOW_32) >>> 5;
    long low = (nextInt() & LOW_32) >>> 6;
    return ((high << 26) | low) * 0x1p-53;
  }

  /**
   * Standard normal, by Box and Muller's transform of two {@link #nextDouble}s into two numbers.
   */
  public double nextNormal() {
    if (!Double.isNaN(spareNormal)) {
      double normal = spareNormal;
      spareNormal = Double.NaN;
      return normal;
    }
    double radius = StrictMath.sqrt(-2.0 * StrictMath.log(1.0 - nextDouble()));
    double angle = 2.0 * StrictMath.PI * nextDouble();
    spareNormal = radius * StrictMath.sin(angle);
    return radius * StrictMath.cos(angle);
  }

  /**
   * Standard normal, drawn again while it lies outside (-2, 2), as TensorFlow's {@code
   * truncated_normal} does; its standard deviation is 0.8796.
   */
  public double nextTruncatedNormal() {
    double normal = nextNormal();
    while (normal <= -2.0 || normal >= 2.0) {
      normal = nextNormal();
    }
    return normal;
  }

  /** Puts {@code values} into a random order, each as likely (Fisher and Yates). */
  public void shuffle(int[] values) {
    for (int i = values.length - 1; i > 0; i--) {
      int j = nextInt(i + 1);
      int swapped = values[i];
      values[i] = values[j];
      values[j] = swapped;
    }
  }
}
