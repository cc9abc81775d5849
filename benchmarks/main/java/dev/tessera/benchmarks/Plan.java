package dev.tessera.benchmarks;

import dev.tessera.benchmarks.harness.Interleaved;
import dev.tessera.benchmarks.jmh.JmhRun;
import org.jspecify.annotations.Nullable;

/**
 * How long to measure.
 *
 * @param quick whether cases, forks and rounds are fewer
 * @param forks processes of each contestant
 * @param searches of each fork
 * @param training of the one fork that training steps have
 * @param jmh of JMH
 */
record Plan(
    boolean quick, int forks, Interleaved.Plan searches, Interleaved.Plan training, JmhRun jmh) {
  private static final int QUICK_FORKS = 2;
  private static final int FORKS = 3;

  /** The usual ones; {@code forks} null for the default. */
  static Plan of(boolean quick, @Nullable Integer forks) {
    int count = forks == null ? (quick ? QUICK_FORKS : FORKS) : forks;
    if (count < 1) {
      throw new IllegalArgumentException("--forks must be at least 1, not " + count);
    }
    return quick
        ? new Plan(
            true,
            count,
            new Interleaved.Plan(0.3, 4, 2, 3),
            new Interleaved.Plan(1.5, 5, 6, 10),
            new JmhRun(count, 3, 0.2))
        : new Plan(
            false,
            count,
            new Interleaved.Plan(1, 5, 3, 20),
            new Interleaved.Plan(4, 15, 8, 60),
            new JmhRun(count, 5, 1));
  }

  /** For the results. */
  String text() {
    return "%s; searches: %d forks of %d rounds of %d samples; training: %d rounds of %d steps"
        .formatted(
            quick ? "quick" : "full",
            forks,
            searches.rounds(),
            searches.steps(),
            training.rounds(),
            training.steps());
  }
}
