package dev.tessera.cli;

/** The range of {@code --threads}. */
final class Threads {
  private static final int MOST = 1024; // of a stream

  private Threads() {}

  /**
   * Checks a number of CPU threads.
   *
   * @throws IllegalArgumentException if it is out of range
   */
  static void requireRange(int threads) {
    if (threads < 1 || threads > MOST) {
      throw new IllegalArgumentException(
          "--threads must be from 1 to " + MOST + ", not " + threads);
    }
  }
}
