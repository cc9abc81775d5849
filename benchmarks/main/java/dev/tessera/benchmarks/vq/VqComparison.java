package dev.tessera.benchmarks.vq;

import dev.tessera.benchmarks.harness.Agreement;
import dev.tessera.benchmarks.harness.Contest;
import dev.tessera.benchmarks.harness.RoundPlan;
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
    RoundPlan plan,
    int forks,
    boolean countMemory,
    Path folder,
    String version,
    Consumer<String> log) {

  /** What one fork found; forms and agreements by contestant. */
  private record Fork(List<String> forms, List<String> agreements, Contest.Samples samples) {}

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
    List<Fork> found = new ArrayList<>();
    for (int fork = 0; fork < forks; fork++) {
      found.add(measureFork(test, contestants, inputs, truth, libraries));
    }
    Contest.Samples samples = Contest.Samples.pooled(found.stream().map(Fork::samples).toList());
    List<Entry> entries = new ArrayList<>();
    for (int i = 0; i < contestants.size(); i++) {
      Contestant c = contestants.get(i);
      entries.add(
          new Entry(
              c.name(),
              found.getFirst().forms().get(i),
              samples.times(i),
              i == 0 ? null : samples.ratio(i),
              found.getFirst().agreements().get(i),
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
        samples.repeated(),
        samples.disturbance(),
        started,
        entries);
  }

  private Fork measureFork(
      VqCase test,
      List<Contestant> contestants,
      Path inputs,
      NearestAgreement.Truth truth,
      Map<String, Map<String, String>> libraries)
      throws IOException {
    List<TaskProcess> processes = new ArrayList<>();
    List<String> forms = new ArrayList<>();
    try {
      for (Contestant c : contestants) {
        processes.add(new TaskProcess(c.command())); // libraries load side by side
      }
      for (TaskProcess process : processes) {
        process.describe(); // waits until it has loaded
      }
      for (int i = 0; i < processes.size(); i++) { // one by one: some try which form is fastest
        TaskProcess process = processes.get(i);
        forms.add(process.open(contestants.get(i).task(), inputs, test.threads()));
        libraries.put(process.name(), new LinkedHashMap<>(process.describe()));
      }
      List<String> agreements = check(test, contestants, processes, truth);
      return new Fork(forms, agreements, Contest.measure(processes, plan));
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
}
