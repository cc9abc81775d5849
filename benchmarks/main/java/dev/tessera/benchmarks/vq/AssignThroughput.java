package dev.tessera.benchmarks.vq;

import java.util.concurrent.TimeUnit;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OperationsPerInvocation;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;
import org.openjdk.jmh.annotations.Warmup;

/** Rows a second of the exact nearest code, N = 20,000 rows at once. */
@State(Scope.Benchmark)
@BenchmarkMode(Mode.Throughput)
@OutputTimeUnit(TimeUnit.SECONDS)
@Fork(value = 3, jvmArgsAppend = "--enable-native-access=ALL-UNNAMED")
@Warmup(iterations = 3, time = 1)
@Measurement(iterations = 5, time = 1)
@SuppressWarnings("NullAway.Init") // JMH calls open() first
public class AssignThroughput {
  private static final int ROWS = 20_000;

  /** Codes, K. */
  @Param({"512", "1024"})
  public int codes;

  /** Length of a row, D. */
  @Param("64")
  public int dim;

  /** Threads of the stream. */
  @Param({"1", "2"})
  public int threads;

  private GaussianCodes data;

  /** Before each fork's iterations. */
  @Setup
  public void open() {
    data = new GaussianCodes(ROWS, codes, dim, threads);
  }

  /** After them. */
  @TearDown
  public void close() {
    data.close();
  }

  /** One call for all rows; JMH counts rows. */
  @Benchmark
  @OperationsPerInvocation(ROWS)
  public void assign() {
    data.assign();
  }
}
