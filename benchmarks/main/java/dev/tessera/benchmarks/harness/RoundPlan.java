package dev.tessera.benchmarks.harness;

/**
 * How long to measure in one process of each task.
 *
 * @param warmUpSeconds that each task works before anything is kept
 * @param rounds blocks of each task
 * @param steps timed in each block
 * @param patienceSeconds to spend at most on waiting for a quiet machine and on repeating rounds in
 *     which it was not
 */
public record RoundPlan(double warmUpSeconds, int rounds, int steps, double patienceSeconds) {
  /** Checks the ranges. */
  public RoundPlan {
    if (!(warmUpSeconds >= 0) || !(patienceSeconds >= 0) || rounds < 1 || steps < 1) {
      throw new IllegalArgumentException(
          "a plan needs at least 1 round of 1 step, and no negative times");
    }
  }
}
