package dev.tessera.benchmarks.vq;

import java.util.concurrent.TimeUnit;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;
import org.openjdk.jmh.annotations.Warmup;

/**
 * The time from one vector in native memory to its code, on one thread: the mean, and with {@code
 * -bm sample} the percentiles.
 */
@State(Scope.Benchmark)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
@Fork(value = 3, jvmArgsAppend = "--enable-native-access=ALL-UNNAMED")
@Warmup(iterations = 3, time = 1)
@Measurement(iterations = 5, time = 1)
@SuppressWarnings("NullAway.Init") // JMH calls open() first
public class AssignLatency {
  /** Codes, K. */
  @Param({"512", "1024"})
  public int codes;

  /** Length of a vector, D. */
  @Param("64")
  public int dim;

  private GaussianCodes data;

  /** Before each fork's iterations. */
  @Setup
  public void open() {
    data = new GaussianCodes(1, codes, dim, 1);
  }

  /** After them. */
  @TearDown
  public void close() {
    data.close();
  }

  /** One vector. */
  @Benchmark
  public void assignOne() {
    data.assign();
  }
}
