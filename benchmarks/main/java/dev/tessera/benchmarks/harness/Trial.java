package dev.tessera.benchmarks.harness;

import java.util.Arrays;
import java.util.List;
import java.util.function.IntConsumer;

/** Short measurements of forms of a task, by which the fastest is chosen before it is compared. */
public final class Trial {
  private static final double FAR_BEHIND = 1.3;

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

  /**
   * The median milliseconds of each of {@code forms} forms of a task, over {@code rounds} in which
   * they take turns: one that is fast only right after itself, when the memory that it asks for is
   * still there, is not chosen.
   *
   * @param step does one step of a form
   */
  public static double[] medianMillis(int forms, int rounds, IntConsumer step) {
    double[][] millis = new double[forms][rounds];
    for (int round = 0; round < rounds; round++) {
      for (int form = 0; form < forms; form++) {
        long begin = System.nanoTime();
        step.accept(form);
        millis[form][round] = (System.nanoTime() - begin) / 1e6;
      }
    }
    return Arrays.stream(millis).mapToDouble(m -> Summary.of(m).median()).toArray();
  }

  /**
   * The least milliseconds of each task, over {@code rounds} in which they take turns. A task that
   * is far behind drops out.
   */
  public static double[] leastMillis(List<? extends Task> tasks, int rounds, int steps) {
    double[] least = new double[tasks.size()];
    Arrays.fill(least, Double.POSITIVE_INFINITY);
    double best = Double.POSITIVE_INFINITY;
    for (int round = 0; round < rounds; round++) {
      for (int i = 0; i < least.length; i++) {
        if (round == 0 || least[i] < best * FAR_BEHIND) {
          least[i] = Math.min(least[i], leastMillis(tasks.get(i), steps));
        }
      }
      best = Arrays.stream(least).min().orElse(best);
    }
    return least;
  }
}
