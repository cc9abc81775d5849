package dev.tessera.cli;

import dev.tessera.bench.Bench;
import dev.tessera.bench.BenchPlan;
import dev.tessera.bench.BenchResult;
import dev.tessera.bench.Op;
import java.io.IOException;
import java.util.Locale;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** {@code tessera bench}: how fast the quantiser is here, and whether it is right. */
@Command(
    name = "bench",
    description =
        "Measures the quantiser against the processor's fp32 peak and a matrix product, and"
            + " compares its answers with float64 arithmetic.",
    mixinStandardHelpOptions = true,
    subcommands = {
      BenchCommand.Assign.class,
      BenchCommand.Quantize.class,
      BenchCommand.Update.class,
      BenchSweepCommand.class
    })
final class BenchCommand implements Runnable {
  @Spec private CommandSpec spec = CommandSpec.create();

  @Override
  public void run() {
    spec.commandLine().usage(spec.commandLine().getOut());
  }

  /** {@code tessera bench assign}. */
  @Command(
      name = "assign",
      description = "Measures the search for nearest codes.",
      mixinStandardHelpOptions = true)
  static final class Assign extends Measure {
    Assign() {
      super(Op.ASSIGN);
    }
  }

  /** {@code tessera bench quantize}. */
  @Command(
      name = "quantize",
      description =
          "Measures codes, code vectors, squared error, counts and sums in one pass, beside assign"
              + " alone.",
      mixinStandardHelpOptions = true)
  static final class Quantize extends Measure {
    Quantize() {
      super(Op.QUANTIZE);
    }
  }

  /** {@code tessera bench update}. */
  @Command(
      name = "update",
      description = "Measures counts and sums of rows whose codes are known.",
      mixinStandardHelpOptions = true)
  static final class Update extends Measure {
    Update() {
      super(Op.UPDATE);
    }
  }

  /** What the three have in common. */
  abstract static class Measure implements Callable<Integer> {
    private static final int DEFAULT_ROWS = 20_000;
    private static final double BUSY = 0.02;

    private final Op op;

    @Option(names = "--n", paramLabel = "N", description = "Rows. Default: 20000.")
    private int n = DEFAULT_ROWS;

    @Option(
        names = "--k",
        paramLabel = "K",
        description = "Codes. Default: 512, or those of --codebook.")
    private int k;

    @Option(
        names = "--d",
        paramLabel = "D",
        description = "Length of rows and codes. Default: 64, or that of the files.")
    private int d;

    @Option(
        names = "--threads",
        paramLabel = "N",
        description = "CPU threads. Default: 1.",
        defaultValue = "1")
    private int threads = 1;

    @Option(
        names = "--repeats",
        paramLabel = "N",
        description = "Rounds, of which medians are taken. Default: 11.")
    private int repeats = 11;

    @Option(names = "--device", paramLabel = "D", description = "cpu or cuda:N. Default: cpu.")
    private String device = "cpu";

    @Mixin private BenchData vectors = new BenchData();

    @Mixin private OutputOptions output = new OutputOptions();

    Measure(Op op) {
      this.op = op;
    }

    @Override
    public Integer call() throws IOException {
      BenchPlan plan =
          new BenchPlan(op, n, vectors.codes(k), vectors.length(d), threads, repeats, device);
      BenchResult result =
          Bench.run(
              plan,
              vectors.source(output.err()::println).draw(n, plan.k(), plan.d()),
              Version.number());
      output.print(result, () -> print(result));
      return 0;
    }

    private void print(BenchResult r) {
      line(
          "%s with %s on %s (%s), %s",
          op(r), r.kernel(), r.device(), r.cpu(), threads == 1 ? "1 thread" : threads + " threads");
      line("  rows        %,d of %d numbers, %,d codes: %s", r.n(), r.d(), r.k(), r.data());
      line(
          "  time        %s, the median of %d; quartiles %s and %s%s",
          time(r.seconds()),
          r.repeats(),
          time(r.secondsQuartiles().getFirst()),
          time(r.secondsQuartiles().getLast()),
          busy(r));
      line("  a row       %s", time(r.seconds() / r.n()));
      line(
          "  rate        %.1f GFLOP/s (%s)",
          r.gflops(), r.op() == Op.UPDATE ? "N D additions" : "2 N K D");
      line("  fp32 peak   %.1f GFLOP/s: ratio %.3f", r.fp32PeakGflops(), r.ratioToFp32Peak());
      if (r.avx2PeakGflops() != null && r.ratioToAvx2Peak() != null) {
        line("  AVX2 peak   %.1f GFLOP/s: ratio %.3f", r.avx2PeakGflops(), r.ratioToAvx2Peak());
      }
      line("  sgemm       %.1f GFLOP/s: ratio %.3f", r.sgemmGflops(), r.ratioToSgemm());
      if (r.assignSeconds() != null && r.ratioToAssign() != null) {
        line("  assign      %s: ratio %.3f", time(r.assignSeconds()), r.ratioToAssign());
      }
      line(
          "  left        %.4f codes a row; %,d rows decided in float64, %,d scanned",
          r.candidatesPerRow(), r.rescoredRows(), r.scannedRows());
      line(
          "  mismatches  %,d of %,d rows against float64 brute force",
          r.mismatchesVsFloat64(), r.rowsChecked());
      if (r.outputMismatches() != null) {
        line("  other       %,d elements of the other outputs differ", r.outputMismatches());
      }
      line(
          "  memory      %,d bytes beyond arguments and codebook (%,d bytes)",
          r.peakExtraBytes(), r.codebookBytes());
    }

    private String busy(BenchResult r) {
      if (r.timeLost() < BUSY) {
        return "";
      }
      return threads > 1
          ? String.format(
              Locale.ROOT, "; others had the processor for %.0f %% of it", 100 * r.timeLost())
          : String.format(
              Locale.ROOT,
              "; %s on the wall, as others had the processor too",
              time(r.wallSeconds()));
    }

    private static String op(BenchResult r) {
      return r.op().name().toLowerCase(Locale.ROOT);
    }

    private void line(String format, Object... values) {
      output.out().printf(Locale.ROOT, format + "%n", values);
    }

    private static String time(double seconds) {
      if (seconds < 1e-6) {
        return String.format(Locale.ROOT, "%.1f ns", 1e9 * seconds);
      }
      return seconds < 1e-3
          ? String.format(Locale.ROOT, "%.2f us", 1e6 * seconds)
          : String.format(Locale.ROOT, "%.3f ms", 1e3 * seconds);
    }
  }
}
