package dev.tessera.benchmarks.train;

import dev.tessera.benchmarks.harness.Agreement;
import dev.tessera.benchmarks.harness.LibtorchSettings;
import dev.tessera.benchmarks.harness.PeersFolder;
import dev.tessera.benchmarks.harness.RoundPlan;
import dev.tessera.benchmarks.harness.TaskProcess;
import dev.tessera.benchmarks.results.CaseResult;
import dev.tessera.benchmarks.results.Entry;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * Training steps as a part of all benchmarks: what {@code TrainStep} measures, as a {@link
 * CaseResult}.
 *
 * @param plan of each fork
 * @param forks processes of each library, one after the other
 * @param threads of each library
 * @param peers where they were built, or null to time ours alone
 * @param folder for files between the processes
 */
public record TrainRun(
    RoundPlan plan, int forks, int threads, @Nullable PeersFolder peers, Path folder) {
  /** Group of all cases. */
  public static final String GROUP = "train";

  private static final String PEER_MAIN = "dev.tessera.benchmarks.peers.LibtorchTraining";
  private static final String OURS = "benchmarks/main/java/dev/tessera/benchmarks/train/";
  private static final String PEER = "benchmarks/peers/main/java/dev/tessera/benchmarks/peers/";

  /**
   * All cases, in order: models, then priors.
   *
   * @param quick fewer ones
   */
  public static List<StepCase> cases(boolean quick) {
    return Stream.<StepCase>concat(TrainCase.all().stream(), PriorCase.all(quick).stream())
        .toList();
  }

  /** The name by which a case can be chosen. */
  public static String name(StepCase test) {
    return GROUP + "/" + test.name();
  }

  /** How our process is started. */
  public static TaskProcess.Command ourCommand() {
    return new TaskProcess.Command(
        "tessera",
        System.getProperty("java.class.path"),
        TesseraTraining.class.getName(),
        List.of(),
        Map.of());
  }

  /** How libtorch's is. */
  public static TaskProcess.Command peerCommand(PeersFolder peers) throws IOException {
    return new TaskProcess.Command(
        "libtorch",
        peers.classPath(),
        PEER_MAIN,
        List.of(),
        LibtorchSettings.both(LibtorchSettings.SINGLE_BLAS, LibtorchSettings.KEEPS_MEMORY));
  }

  /** Compares and times one case. */
  public CaseResult measure(StepCase test, Map<String, Map<String, String>> libraries)
      throws IOException {
    String started = Instant.now().truncatedTo(ChronoUnit.SECONDS).toString();
    boolean prior = test instanceof PriorCase;
    String ourCode = OURS + (prior ? "TesseraPriorTask.java" : "TesseraTrainTask.java");
    String peerCode = PEER + (prior ? "LibtorchPriorTask.java" : "LibtorchTrainTask.java");
    List<TrainComparison.Fork> all = new ArrayList<>();
    for (int fork = 0; fork < forks; fork++) {
      all.add(measureFork(test, libraries, fork == 0));
    }
    TrainReport.Case found = TrainReport.Case.of(test, all);
    List<Entry> entries = new ArrayList<>();
    TrainReport.Speed ours = found.ours();
    entries.add(
        new Entry(ours.library(), ours.form(), ours.milliseconds(), null, "", null, ourCode));
    TrainReport.Speed theirs = found.peer();
    if (theirs != null) {
      entries.add(
          new Entry(
              theirs.library(),
              theirs.form(),
              theirs.milliseconds(),
              found.ratio(),
              worst(found.agreement()),
              null,
              peerCode));
    }
    return new CaseResult(
        name(test),
        GROUP,
        test.what(),
        test.batch(),
        0,
        0,
        threads,
        "",
        "ms",
        forks,
        forks * plan.rounds(),
        found.repeatedRounds(),
        found.disturbance(),
        started,
        entries);
  }

  private TrainComparison.Fork measureFork(
      StepCase test, Map<String, Map<String, String>> libraries, boolean check) throws IOException {
    try (TaskProcess ours = new TaskProcess(ourCommand());
        TaskProcess peer = peers == null ? null : new TaskProcess(peerCommand(peers))) {
      libraries.put(ours.name(), ours.describe());
      if (peer != null) {
        libraries.put(peer.name(), peer.describe());
      }
      return new TrainComparison(ours, peer, threads, plan, folder).measure(test, check);
    }
  }

  private static String worst(List<Agreement.Difference> all) {
    return all.stream()
        .max(Comparator.comparingDouble(d -> d.error() / d.bound()))
        .map(
            d ->
                String.format(
                    Locale.ROOT, "%s differ by %.1e (bound %.0e)", d.name(), d.error(), d.bound()))
        .orElse("");
  }
}
