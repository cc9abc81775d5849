package dev.tessera.benchmarks.vq;

import dev.tessera.benchmarks.harness.Agreement;
import dev.tessera.benchmarks.harness.Contest;
import dev.tessera.benchmarks.harness.Disturbance;
import dev.tessera.benchmarks.harness.Interleaved;
import dev.tessera.benchmarks.harness.Summary;
import dev.tessera.benchmarks.harness.TaskProcess;
import dev.tessera.benchmarks.results.CaseResult;
import dev.tessera.benchmarks.results.Entry;
import dev.tessera.io.HostArray;
import dev.tessera.io.Safetensors;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.nio.file.Path;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.function.Consumer;

/**
 * Takes one case through all contestants: the same inputs, answers compared, and only then timed in
 * turn, in several forks.
 *
 * @param plan of each fork
 * @param forks processes of each contestant, one after the other
 * @param countMemory whether to count allocations too
 * @param folder for files between the processes
 * @param version of Tessera
 * @param log takes lines for people
 */
public record VqComparison(
    Interleaved.Plan plan,
    int forks,
    boolean countMemory,
    Path folder,
    String version,
    Consumer<String> log) {

  /** What all forks found. */
  private static final class Pool {
    final List<List<double[]>> times = new ArrayList<>(); // [contestants][forks]
    final List<List<double[]>> ratios = new ArrayList<>();
    final List<Disturbance.Report> disturbances = new ArrayList<>();
    final List<String> forms = new ArrayList<>();
    final List<String> agreements = new ArrayList<>();
    int repeated;

    Pool(int contestants) {
      for (int i = 0; i < contestants; i++) {
        times.add(new ArrayList<>());
        ratios.add(new ArrayList<>());
      }
    }

    void add(Contest.Samples samples) {
      for (int i = 0; i < times.size(); i++) {
        times.get(i).add(samples.milliseconds().get(i));
        ratios.get(i).add(samples.ratios().get(i));
      }
      disturbances.add(samples.disturbance());
      repeated += samples.repeated();
    }
  }

  /**
   * Compares and times one case.
   *
   * @param libraries takes versions and settings of those that took part
   * @throws IllegalStateException if two do not compute the same
   */
  public CaseResult measure(
      VqCase test, List<Contestant> contestants, Map<String, Map<String, String>> libraries)
      throws IOException {
    Path inputs = folder.resolve("inputs.safetensors");
    String started = Instant.now().truncatedTo(ChronoUnit.SECONDS).toString();
    String data = test.writeInputs(inputs, version, log);
    NearestAgreement.Truth truth = NearestAgreement.Truth.of(VqInputs.read(inputs));
    Pool pool = new Pool(contestants.size());
    for (int fork = 0; fork < forks; fork++) {
      measureFork(test, contestants, inputs, truth, libraries, pool);
    }
    List<Entry> entries = new ArrayList<>();
    for (int i = 0; i < contestants.size(); i++) {
      Contestant c = contestants.get(i);
      entries.add(
          new Entry(
              c.name(),
              pool.forms.get(i),
              pooled(pool.times.get(i)),
              i == 0 ? null : pooled(pool.ratios.get(i)),
              pool.agreements.get(i),
              countMemory && c.countsMemory() ? extraBytes(c, inputs) : null,
              c.source()));
    }
    return new CaseResult(
        test.name(),
        test.group(),
        test.work() == VqCase.Work.ASSIGN ? "nearest code of every row" : "training step",
        test.n(),
        test.k(),
        test.d(),
        test.threads(),
        data,
        "ms",
        forks,
        forks * plan.rounds(),
        pool.repeated,
        average(pool.disturbances),
        started,
        entries);
  }

  private void measureFork(
      VqCase test,
      List<Contestant> contestants,
      Path inputs,
      NearestAgreement.Truth truth,
      Map<String, Map<String, String>> libraries,
      Pool pool)
      throws IOException {
    boolean first = pool.disturbances.isEmpty();
    List<TaskProcess> processes = new ArrayList<>();
    try {
      for (Contestant c : contestants) {
        processes.add(new TaskProcess(c.command())); // libraries load side by side
      }
      for (TaskProcess process : processes) {
        process.describe(); // waits until it has loaded
      }
      for (int i = 0; i < processes.size(); i++) { // one by one: some try which form is fastest
        TaskProcess process = processes.get(i);
        String form = process.open(contestants.get(i).task(), inputs, test.threads());
        libraries.put(process.name(), new LinkedHashMap<>(process.describe()));
        if (first) {
          pool.forms.add(form);
        }
      }
      List<String> agreements = check(test, contestants, processes, truth);
      if (first) {
        pool.agreements.addAll(agreements);
      }
      pool.add(Contest.measure(processes, plan));
    } finally {
      processes.forEach(TaskProcess::close);
    }
  }

  private List<String> check(
      VqCase test,
      List<Contestant> contestants,
      List<TaskProcess> processes,
      NearestAgreement.Truth truth)
      throws IOException {
    Path ours = folder.resolve("ours.safetensors");
    List<String> found = new ArrayList<>();
    for (int i = 0; i < contestants.size(); i++) {
      Contestant c = contestants.get(i);
      if (!c.searches()) {
        found.add("");
        continue;
      }
      Path outputs = i == 0 ? ours : folder.resolve("theirs.safetensors");
      processes.get(i).writeOutputs(outputs);
      NearestAgreement nearest = NearestAgreement.of(truth, codes(outputs));
      require(test, c, nearest.ok(), nearest.text());
      if (i == 0) {
        require(test, c, nearest.differing() == 0, "not exact: " + nearest.text());
      }
      String text = nearest.text();
      if (i > 0 && test.work() == VqCase.Work.STEP) {
        text += "; " + compareStep(test, c, ours, outputs);
      }
      found.add(text);
    }
    return found;
  }

  private static String compareStep(VqCase test, Contestant c, Path ours, Path theirs)
      throws IOException {
    List<Agreement.Difference> all = Agreement.between(ours, theirs, VqOutputs::bound);
    Agreement.Difference worst =
        all.stream().max(Comparator.comparingDouble(d -> d.error() / d.bound())).orElseThrow();
    String text =
        String.format(
            Locale.ROOT,
            "%s differ by %.1e (bound %.0e)",
            worst.name(),
            worst.error(),
            worst.bound());
    require(test, c, all.stream().allMatch(Agreement.Difference::ok), text);
    return text;
  }

  private static void require(VqCase test, Contestant c, boolean ok, String found) {
    if (!ok) {
      throw new IllegalStateException(
          test.name()
              + ": "
              + c.name()
              + " does not compute the same, so nothing was timed: "
              + found);
    }
  }

  private static int[] codes(Path outputs) throws IOException {
    try (Arena arena = Arena.ofConfined()) {
      HostArray codes = Safetensors.read(outputs, arena).tensors().get(VqOutputs.CODES);
      if (codes == null) {
        throw new IllegalStateException("no codes among the outputs");
      }
      return codes.toInts();
    }
  }

  private static long extraBytes(Contestant c, Path inputs) throws IOException {
    try (TaskProcess process = TaskProcess.countingAllocations(c.command())) {
      return process.extraBytes(c.task(), inputs);
    }
  }

  private static Summary pooled(List<double[]> parts) {
    return Summary.of(parts.stream().flatMapToDouble(Arrays::stream).toArray());
  }

  private static Disturbance.Report average(List<Disturbance.Report> reports) {
    return new Disturbance.Report(
        reports.stream().mapToDouble(Disturbance.Report::others).average().orElse(0),
        reports.stream().mapToDouble(Disturbance.Report::stolen).average().orElse(0));
  }
}
