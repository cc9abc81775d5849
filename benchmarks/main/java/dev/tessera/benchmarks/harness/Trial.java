package dev.tessera.benchmarks.harness;

import java.util.Arrays;
import java.util.List;

/** Short measurements of forms of a task, by which the fastest is chosen before it is compared. */
public final class Trial {
  private Trial() {}

  /** The least milliseconds of {@code steps} steps. */
  public static double leastMillis(Task task, int steps) {
    long least = Long.MAX_VALUE;
    for (int i = 0; i < steps; i++) {
      long begin = System.nanoTime();
      task.step();
      least = Math.min(least, System.nanoTime() - begin);
    }
    return least / 1e6;
  }

  /** The same of each task, over {@code rounds} in which they take turns. */
  public static double[] leastMillis(List<? extends Task> tasks, int rounds, int steps) {
    double[] least = new double[tasks.size()];
    Arrays.fill(least, Double.POSITIVE_INFINITY);
    for (int round = 0; round < rounds; round++) {
      for (int i = 0; i < least.length; i++) {
        least[i] = Math.min(least[i], leastMillis(tasks.get(i), steps));
      }
    }
    return least;
  }
}
