package dev.tessera.benchmarks.calls;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_FLOAT;
import static java.lang.foreign.ValueLayout.JAVA_INT;

import dev.tessera.benchmarks.harness.BenchmarkLibrary;
import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.invoke.MethodHandle;
import java.util.concurrent.TimeUnit;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.CompilerControl;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OperationsPerInvocation;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.Warmup;

/**
 * What a call costs whose body does next to nothing, {@code x + 1}, each call needing the result of
 * the one before: as the bindings call (plain), by a critical handle (which leaves out the thread's
 * change of state, and so holds up the garbage collector), through JNI, as a Java method that is
 * not inlined, and from C to C. The body is the same C code in all native calls.
 *
 * <p>And the sum of 64 floats in native memory, the same C code again, beside a loop in Java.
 */
@State(Scope.Thread)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
@Fork(value = 3, jvmArgsAppend = "--enable-native-access=ALL-UNNAMED")
@Warmup(iterations = 3, time = 1)
@Measurement(iterations = 5, time = 1)
public class Downcall {
  private static final int CALLS = 1000; // of one invocation
  private static final int FLOATS = 64;

  private static final FunctionDescriptor ADD_ONE = FunctionDescriptor.of(JAVA_INT, JAVA_INT);
  private static final FunctionDescriptor SUM =
      FunctionDescriptor.of(JAVA_FLOAT, ADDRESS, JAVA_INT);

  private static final MethodHandle PLAIN = BenchmarkLibrary.function("benchmark_add_one", ADD_ONE);
  private static final MethodHandle CRITICAL =
      BenchmarkLibrary.function("benchmark_add_one", ADD_ONE, Linker.Option.critical(false));
  private static final MethodHandle FROM_C =
      BenchmarkLibrary.function(
          "benchmark_call_add_one", FunctionDescriptor.of(JAVA_INT, JAVA_INT, JAVA_INT));
  private static final MethodHandle SUM_PLAIN = BenchmarkLibrary.function("benchmark_sum", SUM);
  private static final MethodHandle SUM_CRITICAL =
      BenchmarkLibrary.function("benchmark_sum", SUM, Linker.Option.critical(false));

  private final Arena arena = Arena.ofAuto();
  private final MemorySegment floats = arena.allocate(JAVA_FLOAT, FLOATS);
  private int x;

  /** Made by JMH, once a thread. */
  public Downcall() {}

  /** As the bindings call. */
  @Benchmark
  @OperationsPerInvocation(CALLS)
  public int plain() throws Throwable {
    int y = x;
    for (int i = 0; i < CALLS; i++) {
      y = (int) PLAIN.invokeExact(y);
    }
    return y;
  }

  /** Through a critical handle. */
  @Benchmark
  @OperationsPerInvocation(CALLS)
  public int critical() throws Throwable {
    int y = x;
    for (int i = 0; i < CALLS; i++) {
      y = (int) CRITICAL.invokeExact(y);
    }
    return y;
  }

  /** Through JNI. */
  @Benchmark
  @OperationsPerInvocation(CALLS)
  public int jni() {
    int y = x;
    for (int i = 0; i < CALLS; i++) {
      y = JniCalls.addOne(y);
    }
    return y;
  }

  /** In Java. */
  @Benchmark
  @OperationsPerInvocation(CALLS)
  public int java() {
    int y = x;
    for (int i = 0; i < CALLS; i++) {
      y = addOne(y);
    }
    return y;
  }

  @CompilerControl(CompilerControl.Mode.DONT_INLINE)
  private static int addOne(int x) {
    return x + 1;
  }

  /** From C to C, in one call from Java. */
  @Benchmark
  @OperationsPerInvocation(CALLS)
  public int fromC() throws Throwable {
    return (int) FROM_C.invokeExact(x, CALLS);
  }

  /** Sum of 64 floats as the bindings call. */
  @Benchmark
  public float sumPlain() throws Throwable {
    return (float) SUM_PLAIN.invokeExact(floats, FLOATS);
  }

  /** Sum of 64 floats through a critical handle. */
  @Benchmark
  public float sumCritical() throws Throwable {
    return (float) SUM_CRITICAL.invokeExact(floats, FLOATS);
  }

  /** Sum of 64 floats through JNI. */
  @Benchmark
  public float sumJni() {
    return JniCalls.sum(floats.address(), FLOATS);
  }

  /** Sum of 64 floats by a loop in Java. */
  @Benchmark
  public float sumJava() {
    float total = 0;
    for (int i = 0; i < FLOATS; i++) {
      total += floats.getAtIndex(JAVA_FLOAT, i);
    }
    return total;
  }
}
