package dev.tessera.benchmarks;

import dev.tessera.benchmarks.harness.RoundPlan;
import dev.tessera.benchmarks.jmh.JmhRun;
import org.jspecify.annotations.Nullable;

/**
 * How long to measure.
 *
 * @param quick whether cases, forks and rounds are fewer
 * @param forks processes of each contestant
 * @param searches of each fork
 * @param training steps of each fork
 * @param jmh of JMH
 */
record Plan(boolean quick, int forks, RoundPlan searches, RoundPlan training, JmhRun jmh) {
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
            new RoundPlan(0.3, 4, 2, 3),
            new RoundPlan(0.7, 3, 5, 10),
            new JmhRun(count, 3, 0.2))
        : new Plan(
            false,
            count,
            new RoundPlan(1, 5, 3, 20),
            new RoundPlan(2, 7, 6, 30),
            new JmhRun(count, 5, 1));
  }

  /** For the results. */
  String text() {
    return "%s; %d forks; searches: %d rounds of %d samples; training: %d rounds of %d steps"
        .formatted(
            quick ? "quick" : "full",
            forks,
            searches.rounds(),
            searches.steps(),
            training.rounds(),
            training.steps());
  }
}
