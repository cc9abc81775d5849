package dev.tessera.benchmarks.jmh;

import dev.tessera.benchmarks.harness.Summary;
import dev.tessera.benchmarks.results.CaseResult;
import dev.tessera.benchmarks.results.Entry;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.results.IterationResult;
import org.openjdk.jmh.results.RunResult;
import org.openjdk.jmh.runner.Runner;
import org.openjdk.jmh.runner.RunnerException;
import org.openjdk.jmh.runner.options.ChainedOptionsBuilder;
import org.openjdk.jmh.runner.options.OptionsBuilder;
import org.openjdk.jmh.runner.options.TimeValue;
import org.openjdk.jmh.runner.options.VerboseMode;

/**
 * Runs JMH on the methods of a case, one fork of each in turn, then the next: forks of different
 * methods alternate.
 *
 * @param forks of each method
 * @param iterations of a fork that count
 * @param seconds of an iteration
 */
public record JmhRun(int forks, int iterations, double seconds) {
  private static final int WARM_UP = 3; // iterations

  // What a call of a few nanoseconds takes depends on where its code lies, which is another place
  // in
  // each process: more processes say more than longer iterations.
  private static final int PROCESSES_OF_CALLS = 2;

  private static final double NANOS = 1e9;

  // JMH itself uses sun.misc.Unsafe, which warns.
  private static final String[] JVM_ARGUMENTS = {
    "--enable-native-access=ALL-UNNAMED", "--sun-misc-unsafe-memory-access=allow"
  };

  /** Runs one case. */
  public CaseResult measure(JmhCase test) {
    return test.ofCalls()
        ? new JmhRun(forks * PROCESSES_OF_CALLS, iterations, seconds / PROCESSES_OF_CALLS).run(test)
        : run(test);
  }

  private CaseResult run(JmhCase test) {
    String started = Instant.now().truncatedTo(ChronoUnit.SECONDS).toString();
    Map<String, double[]> nanos = new LinkedHashMap<>();
    for (int fork = 0; fork < forks; fork++) {
      for (Map.Entry<String, String> method : test.methods().entrySet()) {
        double[] more = once(test, method.getValue());
        nanos.merge(method.getKey(), more, JmhRun::joined);
      }
    }
    double[] first = nanos.values().iterator().next();
    List<Entry> entries = new ArrayList<>();
    for (Map.Entry<String, double[]> e : nanos.entrySet()) {
      double[] times = e.getValue();
      double[] ratios = new double[times.length];
      Arrays.setAll(ratios, i -> times[i] / first[i]);
      entries.add(
          new Entry(
              e.getKey(),
              "JMH " + test.type().getSimpleName() + "." + test.methods().get(e.getKey()),
              Summary.of(times),
              entries.isEmpty() ? null : Summary.of(ratios),
              "",
              null,
              "benchmarks/main/java/" + test.type().getName().replace('.', '/') + ".java"));
    }
    return new CaseResult(
        test.name(),
        test.group(),
        test.what(),
        1,
        test.k(),
        test.d(),
        test.threads(),
        "",
        "ns",
        forks,
        forks * iterations,
        0,
        null,
        started,
        entries);
  }

  // Nanoseconds of an operation, by iteration.
  private double[] once(JmhCase test, String method) {
    ChainedOptionsBuilder options =
        new OptionsBuilder()
            .include("^" + test.type().getName().replace(".", "\\.") + "\\." + method + "$")
            .forks(1)
            .warmupIterations(WARM_UP)
            .warmupTime(time())
            .measurementIterations(iterations)
            .measurementTime(time())
            .verbosity(VerboseMode.SILENT)
            .jvmArgsAppend(JVM_ARGUMENTS)
            .shouldFailOnError(true);
    test.parameters().forEach((name, value) -> options.param(name, value));
    try {
      RunResult result = new Runner(options.build()).runSingle();
      boolean throughput = result.getParams().getMode() == Mode.Throughput;
      double unit =
          (double) result.getParams().getTimeUnit().toNanos(1); // of a score, in nanoseconds
      return result.getBenchmarkResults().stream()
          .flatMap(b -> b.getIterationResults().stream())
          .mapToDouble((IterationResult i) -> i.getPrimaryResult().getScore())
          .map(score -> throughput ? unit / score : score * unit)
          .toArray();
    } catch (RunnerException e) {
      throw new IllegalStateException("JMH could not run " + test.name(), e);
    }
  }

  private TimeValue time() {
    return TimeValue.nanoseconds((long) (seconds * NANOS));
  }

  private static double[] joined(double[] a, double[] b) {
    double[] all = Arrays.copyOf(a, a.length + b.length);
    System.arraycopy(b, 0, all, a.length, b.length);
    return all;
  }
}
