package dev.tessera.benchmarks.harness;

import java.util.ArrayList;
import java.util.Arrays;
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
   * @param patienceSeconds to spend at most on waiting for a quiet machine and on repeating rounds
   *     in which it was not
   */
  public record Plan(double warmUpSeconds, int rounds, int steps, double patienceSeconds) {
    /** Checks the ranges. */
    public Plan {
      if (!(warmUpSeconds >= 0) || !(patienceSeconds >= 0) || rounds < 1 || steps < 1) {
        throw new IllegalArgumentException(
            "a plan needs at least 1 round of 1 step, and no negative times");
      }
    }
  }

  /**
   * Milliseconds a step of one task.
   *
   * @param times over all steps
   * @param repeated rounds that did not count
   * @param disturbance during those that do
   */
  public record Alone(Summary times, int repeated, Disturbance.Report disturbance) {}

  /**
   * Milliseconds a step, and the ratio theirs / ours: how many times as fast ours is.
   *
   * @param ours over all steps
   * @param theirs over all steps
   * @param ratio over rounds
   * @param repeated rounds that did not count
   * @param disturbance during those that do
   */
  public record Comparison(
      Summary ours, Summary theirs, Summary ratio, int repeated, Disturbance.Report disturbance) {}

  /** Measures one task alone. */
  public static Alone alone(TaskProcess ours, Plan plan) {
    warmUp(ours, plan);
    List<double[]> blocks = new ArrayList<>();
    QuietRounds rounds = new QuietRounds(List.of(ours), plan);
    while (rounds.next()) {
      double[] block = ours.run(plan.steps());
      if (rounds.counts()) {
        blocks.add(block);
      }
    }
    return new Alone(pooled(blocks), rounds.repeated(), rounds.disturbance());
  }

  /** Measures both. */
  public static Comparison compare(TaskProcess ours, TaskProcess theirs, Plan plan) {
    warmUp(ours, plan);
    warmUp(theirs, plan);
    List<double[]> ourBlocks = new ArrayList<>();
    List<double[]> theirBlocks = new ArrayList<>();
    double[] ratios = new double[plan.rounds()];
    QuietRounds rounds = new QuietRounds(List.of(ours, theirs), plan);
    while (rounds.next()) {
      int round = rounds.index();
      boolean oursFirst = round % 2 == 0;
      double[] first = (oursFirst ? ours : theirs).run(plan.steps());
      double[] second = (oursFirst ? theirs : ours).run(plan.steps());
      if (rounds.counts()) {
        ourBlocks.add(oursFirst ? first : second);
        theirBlocks.add(oursFirst ? second : first);
        ratios[round] =
            Summary.of(theirBlocks.getLast()).median() / Summary.of(ourBlocks.getLast()).median();
      }
    }
    return new Comparison(
        pooled(ourBlocks),
        pooled(theirBlocks),
        Summary.of(ratios),
        rounds.repeated(),
        rounds.disturbance());
  }

  private static void warmUp(TaskProcess task, Plan plan) {
    long end = System.nanoTime() + (long) (plan.warmUpSeconds() * 1e9);
    do {
      task.run(plan.steps());
    } while (System.nanoTime() < end);
  }

  private static Summary pooled(List<double[]> blocks) {
    return Summary.of(blocks.stream().flatMapToDouble(Arrays::stream).toArray());
  }
}
