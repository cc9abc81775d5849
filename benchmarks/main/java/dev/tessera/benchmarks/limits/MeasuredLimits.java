package dev.tessera.benchmarks.limits;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_DOUBLE;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import dev.tessera.benchmarks.harness.BenchmarkLibrary;
import dev.tessera.benchmarks.harness.Summary;
import dev.tessera.benchmarks.results.Limits;
import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.MemorySegment;
import java.lang.invoke.MethodHandle;
import java.util.function.DoubleSupplier;

/** Measures {@link Limits} on one thread: {@code benchmarks/native/limits.c}. */
public final class MeasuredLimits {
  private static final int FP32 = 0;
  private static final int BF16 = 1;
  private static final int INT8 = 2;
  private static final int REPEATS = 5;
  private static final double SECONDS = 0.02; // of each repeat
  private static final long L2_BYTES = 512 << 10;
  private static final long MEMORY_BYTES = 256L << 20;

  private static final MethodHandle PEAK =
      BenchmarkLibrary.function(
          "benchmark_peak", FunctionDescriptor.of(JAVA_DOUBLE, JAVA_INT, JAVA_DOUBLE));
  private static final MethodHandle READ =
      BenchmarkLibrary.function(
          "benchmark_read_bandwidth",
          FunctionDescriptor.of(JAVA_DOUBLE, ADDRESS, JAVA_LONG, JAVA_DOUBLE));

  private MeasuredLimits() {}

  /** Takes about a second. */
  public static Limits measure() {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment memory = arena.allocate(MEMORY_BYTES, 64);
      memory.fill((byte) 1); // pages that nobody wrote to are all the same one
      return new Limits(
          median(() -> peak(FP32)),
          median(() -> peak(BF16)),
          median(() -> peak(INT8)),
          median(() -> read(memory, L2_BYTES)),
          median(() -> read(memory, MEMORY_BYTES)));
    }
  }

  private static double median(DoubleSupplier giga) {
    double[] values = new double[REPEATS];
    for (int i = 0; i < REPEATS; i++) {
      values[i] = giga.getAsDouble();
    }
    return Summary.of(values).median();
  }

  private static double peak(int kind) {
    try {
      return (double) PEAK.invokeExact(kind, SECONDS) / 1e9;
    } catch (Throwable e) {
      throw new IllegalStateException("measuring a peak", e);
    }
  }

  private static double read(MemorySegment memory, long bytes) {
    try {
      return (double) READ.invokeExact(memory, bytes, SECONDS) / 1e9;
    } catch (Throwable e) {
      throw new IllegalStateException("measuring memory", e);
    }
  }
}
