package dev.tessera.cli;

import dev.tessera.bench.VectorSource;
import dev.tessera.bench.sweep.Sweep;
import dev.tessera.bench.sweep.SweepChart;
import dev.tessera.bench.sweep.SweepPlan;
import dev.tessera.bench.sweep.SweepResult;
import dev.tessera.bench.sweep.SweepTable;
import dev.tessera.io.AtomicFiles;
import dev.tessera.io.Json;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** {@code tessera bench sweep}: every kernel family, from small shapes to large. */
@Command(
    name = "sweep",
    description =
        "Measures every kernel family over K and D; writes sweep.csv, sweep.json and sweep.svg.",
    mixinStandardHelpOptions = true)
final class BenchSweepCommand implements Callable<Integer> {
  private static final int ROWS = 20_000;
  private static final int REPEATS = 9;
  private static final int QUICK_ROWS = 4_000;
  private static final int QUICK_REPEATS = 3;

  @Option(names = "--quick", description = "Fewer shapes, rows and repeats: a first look.")
  private boolean quick;

  @Option(
      names = "--k",
      paramLabel = "K",
      split = ",",
      description = "Numbers of codes. Default: 64,256,512,1024,4096,8192,16384.")
  private @Nullable List<Integer> ks;

  @Option(
      names = "--d",
      paramLabel = "D",
      split = ",",
      description = "Lengths of codes. Default: 8,16,32,64,128,256.")
  private @Nullable List<Integer> ds;

  @Option(names = "--n", paramLabel = "N", description = "Rows. Default: 20000.")
  private @Nullable Integer n;

  @Option(names = "--threads", paramLabel = "N", description = "CPU threads. Default: 1.")
  private int threads = 1;

  @Option(
      names = "--repeats",
      paramLabel = "N",
      description =
          "Measurements, of which medians are taken; slow families get fewer. Default: 9.")
  private @Nullable Integer repeats;

  @Option(
      names = "--out",
      paramLabel = "DIR",
      description = "Where to write. Default: bench-sweep.")
  private Path out = Path.of("bench-sweep");

  @Mixin private BenchData vectors = new BenchData();

  @Mixin private OutputOptions output = new OutputOptions();

  @Override
  public Integer call() throws IOException {
    SweepPlan plan = plan();
    VectorSource source = vectors.source(output.err()::println);
    Files.createDirectories(out);
    SweepResult result;
    try (Sweep sweep = new Sweep(plan, output.err()::println)) {
      result = sweep.run(source, Version.number());
    }
    AtomicFiles.write(out.resolve("sweep.csv"), SweepTable.csv(result));
    AtomicFiles.write(out.resolve("sweep.svg"), SweepChart.svg(result));
    Json.write(out.resolve("sweep.json"), result);
    output.print(result, () -> print(result));
    return 0;
  }

  private SweepPlan plan() {
    return new SweepPlan(
        ks == null ? (quick ? SweepPlan.QUICK_KS : SweepPlan.ALL_KS) : ks,
        ds == null ? (quick ? SweepPlan.QUICK_DS : SweepPlan.ALL_DS) : ds,
        n == null ? (quick ? QUICK_ROWS : ROWS) : n,
        threads,
        repeats == null ? (quick ? QUICK_REPEATS : REPEATS) : repeats);
  }

  private void print(SweepResult result) {
    SweepTable.text(result).forEach(output.out()::println);
    output
        .out()
        .printf(
            Locale.ROOT,
            "%nmultiples of the fp32 peak, * chosen by the library: within 5 %% of the fastest"
                + " family for %d of %d shapes%n%,d mismatches against float64 brute force%nin %s:"
                + " sweep.csv, sweep.json, sweep.svg%n",
            result.within5Percent(),
            result.shapes().size(),
            result.mismatchesVsFloat64(),
            out);
  }
}
