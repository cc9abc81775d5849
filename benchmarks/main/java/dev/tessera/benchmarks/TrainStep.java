package dev.tessera.benchmarks;

import dev.tessera.benchmarks.harness.Machine;
import dev.tessera.benchmarks.harness.PeersFolder;
import dev.tessera.benchmarks.harness.RoundPlan;
import dev.tessera.benchmarks.harness.TaskProcess;
import dev.tessera.benchmarks.train.StepCase;
import dev.tessera.benchmarks.train.TrainComparison;
import dev.tessera.benchmarks.train.TrainReport;
import dev.tessera.benchmarks.train.TrainRun;
import dev.tessera.io.Json;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/**
 * Times training steps, and with {@code --peers} libtorch's in the same run: first that both
 * compute the same, then how long they take, in alternation. See benchmarks/README.md.
 */
@Command(
    name = "train-step",
    description = "Times training steps, and with --peers libtorch's in the same run.",
    mixinStandardHelpOptions = true)
public final class TrainStep implements Callable<Integer> {
  @Option(names = "--peers", description = "Compare with libtorch.")
  private boolean peers;

  @Option(
      names = "--peers-folder",
      paramLabel = "DIR",
      defaultValue = "benchmarks/peers/target",
      description = "Where the peers were built (default: ${DEFAULT-VALUE}).")
  private Path peersFolder = Path.of("");

  @Option(
      names = "--case",
      paramLabel = "NAME",
      description =
          "CONFIGURATION-networks, CONFIGURATION-step or CONFIGURATION-kCODES-prior; may be"
              + " repeated (default: all).")
  private List<String> cases = new ArrayList<>();

  @Option(
      names = "--threads",
      paramLabel = "N",
      defaultValue = "2",
      description = "Threads of each library (default: ${DEFAULT-VALUE}).")
  private int threads;

  @Option(
      names = "--rounds",
      paramLabel = "N",
      defaultValue = "15",
      description = "Blocks of each library, in alternation (default: ${DEFAULT-VALUE}).")
  private int rounds;

  @Option(
      names = "--steps",
      paramLabel = "N",
      defaultValue = "8",
      description = "Steps timed in a block (default: ${DEFAULT-VALUE}).")
  private int steps;

  @Option(
      names = "--warm-up",
      paramLabel = "SECONDS",
      defaultValue = "4",
      description = "Work of each library before anything is kept (default: ${DEFAULT-VALUE}).")
  private double warmUp;

  @Option(
      names = "--patience",
      paramLabel = "SECONDS",
      defaultValue = "60",
      description =
          "What each case may spend on waiting for a quiet machine, and on repeating rounds in which"
              + " it was not (default: ${DEFAULT-VALUE}).")
  private double patience;

  @Option(
      names = "--json",
      description = "Print one JSON object on standard output, and nothing else there.")
  private boolean json;

  private TrainStep() {}

  /** Runs the program; its status is 1 if the libraries disagree, 2 for wrong input. */
  public static void main(String[] args) {
    CommandLine line = new CommandLine(new TrainStep());
    line.setExecutionExceptionHandler(
        (e, command, parsed) -> {
          command.getErr().println("train-step: " + e.getMessage());
          return e instanceof IllegalArgumentException ? 2 : 1;
        });
    System.exit(line.execute(args));
  }

  @Override
  public Integer call() throws IOException {
    RoundPlan plan = new RoundPlan(warmUp, rounds, steps, patience);
    List<StepCase> chosen = chosen();
    Machine machine = Machine.here();
    Path folder = Files.createTempDirectory("tessera-train-step");
    try (TaskProcess ours = new TaskProcess(TrainRun.ourCommand());
        TaskProcess peer =
            peers ? new TaskProcess(TrainRun.peerCommand(PeersFolder.of(peersFolder))) : null) {
      List<TrainReport.Case> results = new ArrayList<>();
      TrainReport report = new TrainReport(machine, threads, plan, describe(ours, peer), results);
      PrintWriter people =
          new PrintWriter(json ? System.err : System.out, true, StandardCharsets.UTF_8);
      report.printHead(people);
      TrainComparison comparison = new TrainComparison(ours, peer, threads, plan, folder);
      for (StepCase test : chosen) {
        results.add(TrainReport.Case.of(test, List.of(comparison.measure(test, true))));
        TrainReport.print(people, results.getLast());
      }
      if (json) {
        System.out.println(Json.line(report));
      }
      return 0;
    } finally {
      deleteAll(folder);
    }
  }

  private List<StepCase> chosen() {
    return cases.isEmpty() ? TrainRun.cases(false) : cases.stream().map(StepCase::named).toList();
  }

  private static Map<String, Map<String, String>> describe(
      TaskProcess ours, @Nullable TaskProcess peer) {
    Map<String, Map<String, String>> libraries = new LinkedHashMap<>();
    libraries.put(ours.name(), ours.describe());
    if (peer != null) {
      libraries.put(peer.name(), peer.describe());
    }
    return libraries;
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
