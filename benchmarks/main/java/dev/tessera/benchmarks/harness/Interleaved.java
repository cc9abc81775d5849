package dev.tessera.benchmarks.harness;

import java.util.ArrayList;
import java.util.List;

/**
 * Measures two open tasks in alternation, in blocks of a few steps: ours, theirs, theirs, ours,
 * ours, theirs ... What slows the machine down for a while meets both, and a drift favours neither.
 * Each round gives one ratio, of the medians of its two blocks.
 */
public final class Interleaved {
  private Interleaved() {}

  /**
   * How long to measure.
   *
   * @param warmUpSeconds that each library works before anything is kept
   * @param rounds blocks of each library
   * @param steps timed in each block
   */
  public record Plan(double warmUpSeconds, int rounds, int steps) {
    /** Checks the ranges. */
    public Plan {
      if (!(warmUpSeconds >= 0) || rounds < 1 || steps < 1) {
        throw new IllegalArgumentException("a plan needs at least 1 round of 1 step");
      }
    }
  }

  /**
   * Times in milliseconds a step, and the ratio theirs / ours: how many times as fast ours is.
   *
   * @param ours over all steps
   * @param theirs over all steps
   * @param ratio over rounds
   */
  public record Comparison(Summary ours, Summary theirs, Summary ratio) {}

  /** Measures one task alone. */
  public static Summary alone(TaskProcess ours, Plan plan) {
    warmUp(ours, plan);
    List<double[]> blocks = new ArrayList<>();
    for (int round = 0; round < plan.rounds(); round++) {
      blocks.add(ours.run(plan.steps()));
    }
    return Summary.of(pooled(blocks));
  }

  /** Measures both. */
  public static Comparison compare(TaskProcess ours, TaskProcess theirs, Plan plan) {
    warmUp(ours, plan);
    warmUp(theirs, plan);
    List<double[]> ourBlocks = new ArrayList<>();
    List<double[]> theirBlocks = new ArrayList<>();
    double[] ratios = new double[plan.rounds()];
    for (int round = 0; round < plan.rounds(); round++) {
      if (round % 2 == 0) {
        ourBlocks.add(ours.run(plan.steps()));
        theirBlocks.add(theirs.run(plan.steps()));
      } else {
        theirBlocks.add(theirs.run(plan.steps()));
        ourBlocks.add(ours.run(plan.steps()));
      }
      ratios[round] =
          Summary.of(theirBlocks.getLast()).median() / Summary.of(ourBlocks.getLast()).median();
    }
    return new Comparison(
        Summary.of(pooled(ourBlocks)), Summary.of(pooled(theirBlocks)), Summary.of(ratios));
  }

  private static void warmUp(TaskProcess task, Plan plan) {
    long end = System.nanoTime() + (long) (plan.warmUpSeconds() * 1e9);
    do {
      task.run(plan.steps());
    } while (System.nanoTime() < end);
  }

  private static double[] pooled(List<double[]> blocks) {
    return blocks.stream().flatMapToDouble(java.util.Arrays::stream).toArray();
  }
}
