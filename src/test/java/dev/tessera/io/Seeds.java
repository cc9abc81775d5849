package dev.tessera.io;

import java.util.SplittableRandom;

/**
 * Fresh randomness for a test, printed so that a failure can be repeated: run it again with {@code
 * -Dtessera.test.seed=N}.
 */
public final class Seeds {
  private Seeds() {}

  /** A generator for {@code test}, whose seed is printed. */
  public static SplittableRandom fresh(String test) {
    long seed = Long.getLong("tessera.test.seed", System.nanoTime());
    System.out.println(test + ": -Dtessera.test.seed=" + seed);
    return new SplittableRandom(seed);
  }

  /** As many random bytes. */
  public static byte[] bytes(SplittableRandom random, int count) {
    byte[] bytes = new byte[count];
    random.nextBytes(bytes);
    return bytes;
  }
}
