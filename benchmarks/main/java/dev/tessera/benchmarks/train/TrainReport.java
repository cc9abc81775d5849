package dev.tessera.benchmarks.train;

import dev.tessera.benchmarks.harness.Agreement;
import dev.tessera.benchmarks.harness.Contest;
import dev.tessera.benchmarks.harness.Disturbance;
import dev.tessera.benchmarks.harness.Machine;
import dev.tessera.benchmarks.harness.RoundPlan;
import dev.tessera.benchmarks.harness.Summary;
import java.io.PrintWriter;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * All that a run of {@code TrainStep} found.
 *
 * @param machine it ran on
 * @param threads of each library
 * @param plan how long was measured
 * @param libraries versions and settings, by library
 * @param cases one after the other
 */
public record TrainReport(
    Machine machine,
    int threads,
    RoundPlan plan,
    Map<String, Map<String, String>> libraries,
    List<Case> cases) {

  /** A library's speed: {@code milliseconds} a step, and the images a second of the median step. */
  public record Speed(String library, String form, double imagesPerSecond, Summary milliseconds) {
    static Speed of(String library, String form, int batch, Summary milliseconds) {
      return new Speed(library, form, batch / milliseconds.median() * 1e3, milliseconds);
    }
  }

  /**
   * One case.
   *
   * @param name of the {@link TrainCase}
   * @param batch images a step
   * @param ours our speed
   * @param peer the peer's, or null without one
   * @param ratio peer's time over ours, one a round, or null without a peer
   * @param agreement the outputs that were compared before
   * @param repeatedRounds rounds that did not count, since the machine was not quiet
   * @param disturbance what else the machine did in the rounds that count
   */
  public record Case(
      String name,
      int batch,
      Speed ours,
      @Nullable Speed peer,
      @Nullable Summary ratio,
      List<Agreement.Difference> agreement,
      int repeatedRounds,
      Disturbance.Report disturbance) {

    /** Of what processes of both libraries found, one after the other. */
    public static Case of(StepCase test, List<TrainComparison.Fork> forks) {
      TrainComparison.Fork first = forks.getFirst();
      Contest.Samples samples =
          Contest.Samples.pooled(forks.stream().map(TrainComparison.Fork::samples).toList());
      List<Speed> speeds = new ArrayList<>();
      for (int i = 0; i < first.libraries().size(); i++) {
        speeds.add(
            Speed.of(
                first.libraries().get(i), first.forms().get(i), test.batch(), samples.times(i)));
      }
      boolean compared = speeds.size() > 1;
      return new Case(
          test.name(),
          test.batch(),
          speeds.getFirst(),
          compared ? speeds.get(1) : null,
          compared ? samples.ratio(1) : null,
          first.agreement(),
          samples.repeated(),
          samples.disturbance());
    }
  }

  /** What was measured on what. */
  public void printHead(PrintWriter out) {
    out.printf(
        "%s (%s), %d cpus, %s%n%s, %s%nload average before: %.2f%n%d threads each%n",
        machine.cpu(),
        machine.model(),
        machine.cpus(),
        String.join(" ", machine.instructionSets()),
        machine.kernel(),
        machine.java(),
        machine.loadAverage(),
        threads);
    libraries.forEach(
        (library, facts) -> facts.forEach((k, v) -> out.printf("%s %s: %s%n", library, k, v)));
  }

  /** One case, in lines for people. */
  public static void print(PrintWriter out, Case c) {
    out.printf("%n%s, batch %d%n", c.name, c.batch);
    for (Agreement.Difference d : worst(c.agreement)) {
      out.printf(
          Locale.ROOT,
          "  same answer: %s differs by %.1e (bound %.0e)%n",
          d.name(),
          d.error(),
          d.bound());
    }
    print(out, c.ours);
    if (c.peer != null && c.ratio != null) {
      print(out, c.peer);
      out.printf(
          Locale.ROOT,
          "  ratio      %7.2f x  (quartiles %.2f to %.2f, range %.2f to %.2f, %d rounds)%n",
          c.ratio.median(),
          c.ratio.quartile1(),
          c.ratio.quartile3(),
          c.ratio.min(),
          c.ratio.max(),
          c.ratio.count());
    }
    out.printf(
        Locale.ROOT,
        "  meanwhile others used %.2f processors, %.2f were stolen; %d rounds were repeated%s%n",
        c.disturbance.others(),
        c.disturbance.stolen(),
        c.repeatedRounds,
        c.disturbance.quiet() ? "" : ". NOT QUIET: measure again");
    out.flush();
  }

  private static void print(PrintWriter out, Speed s) {
    out.printf(
        Locale.ROOT,
        "  %-10s %7.2f ms a step (quartiles %.2f to %.2f), %.0f images/s; %s%n",
        s.library,
        s.milliseconds.median(),
        s.milliseconds.quartile1(),
        s.milliseconds.quartile3(),
        s.imagesPerSecond,
        s.form);
  }

  // Outputs by the share of their bound that they use: the three largest.
  private static List<Agreement.Difference> worst(List<Agreement.Difference> all) {
    return all.stream()
        .sorted((a, b) -> Double.compare(b.error() / b.bound(), a.error() / a.bound()))
        .limit(3)
        .toList();
  }
}
