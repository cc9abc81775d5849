package dev.tessera.benchmarks.harness;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.stream.Stream;

/**
 * Measures any number of open tasks in turn, in blocks of a few samples. Each round begins with
 * another task and every second one goes backwards, so that nobody always works after the same
 * neighbour, what slows the machine down for a while meets all, and a drift favours nobody. Every
 * round gives each task one ratio: its median over the first task's.
 */
public final class Contest {
  private static final double SHORTEST_SAMPLE = 1; // milliseconds
  private static final int MOST_STEPS = 10_000; // of a sample

  private final List<TaskProcess> tasks;
  private final RoundPlan plan;
  private final List<List<double[]>> blocks = new ArrayList<>(); // [tasks][rounds]
  private final List<double[]> ratios = new ArrayList<>(); // [rounds][tasks]

  private Contest(List<TaskProcess> tasks, RoundPlan plan) {
    this.tasks = tasks;
    this.plan = plan;
    tasks.forEach(task -> blocks.add(new ArrayList<>()));
  }

  /**
   * What was measured, before it is summarised.
   *
   * @param milliseconds of a step: [tasks][samples]
   * @param ratios each task's time over the first's: [tasks][rounds]
   * @param repeated rounds that did not count
   * @param disturbance during those that do
   */
  public record Samples(
      List<double[]> milliseconds,
      List<double[]> ratios,
      int repeated,
      Disturbance.Report disturbance) {

    /** The samples of several forks, one after the other. */
    public static Samples pooled(List<Samples> forks) {
      List<double[]> milliseconds = new ArrayList<>();
      List<double[]> ratios = new ArrayList<>();
      for (int i = 0; i < forks.getFirst().milliseconds.size(); i++) {
        int task = i;
        milliseconds.add(joined(forks.stream().map(fork -> fork.milliseconds.get(task))));
        ratios.add(joined(forks.stream().map(fork -> fork.ratios.get(task))));
      }
      return new Samples(
          milliseconds,
          ratios,
          forks.stream().mapToInt(Samples::repeated).sum(),
          Disturbance.Report.average(forks.stream().map(Samples::disturbance).toList()));
    }

    private static double[] joined(Stream<double[]> parts) {
      return parts.flatMapToDouble(Arrays::stream).toArray();
    }

    /** The times of one task. */
    public Summary times(int task) {
      return Summary.of(milliseconds.get(task));
    }

    /** Its ratios to the first. */
    public Summary ratio(int task) {
      return Summary.of(ratios.get(task));
    }
  }

  /** Measures tasks that are open; the first is the one that the others are compared with. */
  public static Samples measure(List<TaskProcess> tasks, RoundPlan plan) {
    return new Contest(tasks, plan).run();
  }

  private Samples run() {
    int[] steps = new int[tasks.size()];
    for (int i = 0; i < steps.length; i++) {
      steps[i] = warmUp(tasks.get(i));
    }
    QuietRounds rounds = new QuietRounds(tasks, plan);
    while (rounds.next()) {
      double[][] round = new double[tasks.size()][];
      for (int i : order(rounds.index())) {
        round[i] = tasks.get(i).run(plan.steps(), steps[i]);
      }
      if (rounds.counts()) {
        keep(round);
      }
    }
    List<double[]> times = new ArrayList<>();
    List<double[]> perTask = new ArrayList<>();
    for (int i = 0; i < tasks.size(); i++) {
      int task = i;
      times.add(blocks.get(i).stream().flatMapToDouble(Arrays::stream).toArray());
      perTask.add(ratios.stream().mapToDouble(round -> round[task]).toArray());
    }
    return new Samples(times, perTask, rounds.repeated(), rounds.disturbance());
  }

  private void keep(double[][] round) {
    double first = Summary.of(round[0]).median();
    double[] ratio = new double[round.length];
    for (int i = 0; i < round.length; i++) {
      blocks.get(i).add(round[i]);
      ratio[i] = Summary.of(round[i]).median() / first;
    }
    ratios.add(ratio);
  }

  // Steps of a sample: so many that a clock can time them.
  private int warmUp(TaskProcess task) {
    long end = System.nanoTime() + (long) (plan.warmUpSeconds() * 1e9);
    double millis;
    do {
      millis = task.run(1, 1)[0];
    } while (System.nanoTime() < end);
    return (int) Math.clamp(Math.ceil(SHORTEST_SAMPLE / millis), 1, MOST_STEPS);
  }

  private List<Integer> order(int round) {
    List<Integer> order = new ArrayList<>();
    for (int i = 0; i < tasks.size(); i++) {
      order.add(i);
    }
    Collections.rotate(order, -(round / 2));
    return round % 2 == 0 ? order : order.reversed();
  }
}
