package dev.tessera.benchmarks;

import dev.tessera.benchmarks.harness.PeersFolder;
import dev.tessera.benchmarks.page.BenchmarkPage;
import dev.tessera.benchmarks.results.RatioTable;
import dev.tessera.benchmarks.results.Results;
import dev.tessera.benchmarks.vq.Contestants;
import dev.tessera.cli.Version;
import dev.tessera.device.Device;
import dev.tessera.device.DeviceUnavailableException;
import dev.tessera.io.AtomicFiles;
import dev.tessera.io.Json;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/**
 * {@code ./tessera benchmark}: everything that is measured here, one table of ratios, and a JSON
 * file. See benchmarks/README.md.
 */
@Command(
    name = "tessera benchmark",
    description = "Measures Tessera's speed, and with --peers that of other libraries beside it.",
    sortOptions = false,
    mixinStandardHelpOptions = true)
public final class Benchmark implements Callable<Integer> {
  private static final String PEERS_PROPERTY = "tessera.benchmark.peers";
  private static final String RESULTS_PROPERTY = "tessera.benchmark.results";

  @Option(
      names = "--quick",
      description = "Fewer and smaller cases: minutes instead of half an hour.")
  private boolean quick;

  @Option(
      names = "--peers",
      description = "Compare with libtorch, and with FAISS where it is installed.")
  private boolean peers;

  @Option(
      names = "--device",
      paramLabel = "D",
      description = "cpu or cuda:N; peers work on the CPU only. Default: cpu.")
  private String device = "cpu";

  @Option(
      names = "--only",
      paramLabel = "NAME",
      description =
          "Cases whose name begins so; may be repeated. Results join those that are in the file.")
  private List<String> only = new ArrayList<>();

  @Option(names = "--list", description = "Print the names of the cases and do nothing.")
  private boolean list;

  @Option(
      names = "--forks",
      paramLabel = "N",
      description = "Processes of each contestant, one after the other. Default: 3, quick 2.")
  private @Nullable Integer forks;

  @Option(
      names = "--out",
      paramLabel = "FILE.json",
      description = "Default: benchmarks/results/full.json, or quick.json.")
  private @Nullable Path out;

  @Option(
      names = "--report",
      description = "Measure nothing: make a page with plots of what is in the file.")
  private boolean report;

  private Benchmark() {}

  /** Runs the program; its status is 1 if libraries disagree, 2 for wrong input. */
  public static void main(String[] args) {
    CommandLine line = new CommandLine(new Benchmark());
    line.setExecutionExceptionHandler(
        (e, command, parsed) -> {
          // The message of a file system's exception is the bare name.
          command.getErr().println("tessera: " + (e instanceof IOException ? e : e.getMessage()));
          boolean input =
              e instanceof IllegalArgumentException || e instanceof DeviceUnavailableException;
          return input ? 2 : 1;
        });
    System.exit(line.execute(args));
  }

  @Override
  public Integer call() throws IOException {
    PrintWriter people = new PrintWriter(System.out, true, StandardCharsets.UTF_8);
    Path file = (out == null ? defaultFile() : out).toAbsolutePath();
    if (report) {
      writePage(Json.read(file, Results.class), file, people);
      return 0;
    }
    Device.open(device).close(); // says what is wrong before anything takes time
    Plan plan = Plan.of(quick, forks);
    Suite suite = new Suite(plan, device, peersFolder(people), only, Version.number(), people);
    if (list) {
      suite.names().forEach(people::println);
      return 0;
    }
    // What was measured outlives a case that fails and a Ctrl-C.
    Path unfinished = file.resolveSibling(file.getFileName() + ".unfinished");
    Files.createDirectories(file.resolveSibling("")); // before anything takes time
    Results results = suite.run(soFar -> keep(unfinished, soFar));
    if (!only.isEmpty() && Files.exists(file)) {
      results = Json.read(file, Results.class).with(results);
    }
    Json.write(file, results);
    Files.deleteIfExists(unfinished);
    RatioTable.lines(results).forEach(people::println);
    people.printf("%nratio: time over Tessera's, of the same rounds. Results: %s%n", file);
    if (!quick) {
      writePage(results, file, people);
    }
    return 0;
  }

  private static void keep(Path file, Results results) {
    try {
      Json.write(file, results);
    } catch (IOException e) {
      throw new UncheckedIOException("cannot write " + file + ": " + e, e);
    }
  }

  private static void writePage(Results results, Path file, PrintWriter people) throws IOException {
    Path page =
        file.resolveSibling(file.getFileName().toString().replaceAll("\\.json$", "") + ".html");
    AtomicFiles.write(page, BenchmarkPage.html(results));
    people.println("page: " + page);
  }

  private @Nullable PeersFolder peersFolder(PrintWriter people) throws IOException {
    if (!peers) {
      return null;
    }
    PeersFolder folder =
        PeersFolder.of(Path.of(System.getProperty(PEERS_PROPERTY, "benchmarks/peers/target")));
    folder.classPath(); // throws if they are not built
    Path faiss = folder.faiss();
    if (faiss == null) {
      people.println(
          "FAISS is not installed, so it is left out (Debian: apt-get install libfaiss-dev"
              + " libopenblas0)");
    } else if (!Contestants.faissHasOpenBlas(folder, faiss)) {
      people.println(
          "FAISS is left out: its products are not OpenBLAS', so it would look ten times slower than"
              + " it is (Debian: apt-get install libopenblas0)");
      return folder.withoutFaiss();
    }
    return folder;
  }

  private Path defaultFile() {
    String folder = System.getProperty(RESULTS_PROPERTY, "benchmarks/results");
    return Path.of(folder).resolve(quick ? "quick.json" : "full.json");
  }
}
