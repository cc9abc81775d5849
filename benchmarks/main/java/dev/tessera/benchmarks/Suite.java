package dev.tessera.benchmarks;

import dev.tessera.benchmarks.harness.Machine;
import dev.tessera.benchmarks.harness.PeersFolder;
import dev.tessera.benchmarks.jmh.JmhCase;
import dev.tessera.benchmarks.limits.MeasuredLimits;
import dev.tessera.benchmarks.results.CaseResult;
import dev.tessera.benchmarks.results.Limits;
import dev.tessera.benchmarks.results.Results;
import dev.tessera.benchmarks.train.StepCase;
import dev.tessera.benchmarks.train.TrainRun;
import dev.tessera.benchmarks.vq.Contestants;
import dev.tessera.benchmarks.vq.VqCase;
import dev.tessera.benchmarks.vq.VqCases;
import dev.tessera.benchmarks.vq.VqComparison;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.SequencedMap;
import java.util.function.Consumer;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/** All cases, in order, by name. */
final class Suite {
  private final Plan plan;
  private final String device;
  private final @Nullable PeersFolder peers;
  private final List<String> only;
  private final String version;
  private final PrintWriter people;
  private final Map<String, Map<String, String>> libraries = new LinkedHashMap<>();

  /** Measures one case, with a folder for files. */
  @FunctionalInterface
  private interface Measurement {
    CaseResult measure(Path folder) throws IOException;
  }

  Suite(
      Plan plan,
      String device,
      @Nullable PeersFolder peers,
      List<String> only,
      String version,
      PrintWriter people) {
    this.plan = plan;
    this.device = device;
    this.peers = peers;
    this.only = only;
    this.version = version;
    this.people = people;
  }

  /** Names of the chosen cases. */
  List<String> names() {
    return List.copyOf(chosen().keySet());
  }

  /**
   * Measures them.
   *
   * @param soFar takes what there is after each case
   */
  Results run(Consumer<Results> soFar) throws IOException {
    Map<String, Measurement> chosen = chosen();
    Limits limits = MeasuredLimits.measure();
    Machine machine = Machine.here();
    people.printf(
        Locale.ROOT,
        "%s, %d cpus, %.0f MHz, %s%n",
        machine.cpu(),
        machine.cpus(),
        machine.mhz(),
        String.join(" ", machine.instructionSets()));
    people.printf(
        Locale.ROOT,
        "one core: %.0f GFLOP/s fp32, %.0f bf16, %.0f GOP/s int8, reads %.0f GB/s from L2, %.1f from"
            + " memory%n",
        limits.fp32(),
        limits.bf16(),
        limits.int8(),
        limits.l2(),
        limits.memory());
    List<CaseResult> results = new ArrayList<>();
    Path folder = Files.createTempDirectory("tessera-benchmark");
    try {
      for (Map.Entry<String, Measurement> test : chosen.entrySet()) {
        long begin = System.nanoTime();
        results.add(test.getValue().measure(folder));
        people.printf(
            Locale.ROOT, "%s: %.0f s%n", test.getKey(), (System.nanoTime() - begin) / 1e9);
        soFar.accept(
            new Results(version, plan.text(), machine, limits, libraries, List.copyOf(results)));
      }
    } finally {
      deleteAll(folder);
    }
    return new Results(version, plan.text(), machine, limits, libraries, results);
  }

  private Map<String, Measurement> chosen() {
    SequencedMap<String, Measurement> all = all();
    if (only.isEmpty()) {
      return all;
    }
    for (String prefix : only) {
      if (all.keySet().stream().noneMatch(name -> name.startsWith(prefix))) {
        throw new IllegalArgumentException(
            "--only " + prefix + ": no case begins so; --list prints their names");
      }
    }
    all.keySet().removeIf(name -> only.stream().noneMatch(name::startsWith));
    return all;
  }

  private SequencedMap<String, Measurement> all() {
    SequencedMap<String, Measurement> all = new LinkedHashMap<>();
    Contestants contestants = new Contestants(device, peers);
    for (VqCase test : VqCases.all(plan.quick())) {
      boolean memory = !plan.quick() || test.work() == VqCase.Work.STEP;
      all.put(
          test.name(),
          folder ->
              new VqComparison(
                      plan.searches(), plan.forks(), memory, folder, version, people::println)
                  .measure(test, contestants.of(test), libraries));
    }
    if (!device.equals("cpu")) {
      return all; // what follows works on a CPU, or measures nothing of the device
    }
    int threads = Runtime.getRuntime().availableProcessors();
    for (StepCase test : TrainRun.cases(plan.quick())) {
      all.put(
          TrainRun.name(test),
          folder ->
              new TrainRun(plan.training(), plan.forks(), threads, peers, folder)
                  .measure(test, libraries));
    }
    for (JmhCase test : JmhCase.all()) {
      all.put(test.name(), _ -> plan.jmh().measure(test));
    }
    return all;
  }

  private static void deleteAll(Path folder) throws IOException {
    try (Stream<Path> files = Files.list(folder)) {
      for (Path file : files.toList()) {
        Files.delete(file);
      }
    }
    Files.delete(folder);
  }
}
