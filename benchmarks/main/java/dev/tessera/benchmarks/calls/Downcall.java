package dev.tessera.benchmarks.calls;

import dev.tessera.bindings.NativeLibrary;
import dev.tessera.bindings.tessera_h;
import java.lang.foreign.Linker;
import java.lang.invoke.MethodHandle;
import java.util.concurrent.TimeUnit;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.CompilerControl;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.Warmup;

/**
 * What a call costs whose C body returns a constant: through the generated bindings, through a
 * critical handle (which leaves out the thread's change of state, and so holds up the garbage
 * collector), and as a Java method that is not inlined, for comparison.
 */
@State(Scope.Thread)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
@Fork(value = 3, jvmArgsAppend = "--enable-native-access=ALL-UNNAMED")
@Warmup(iterations = 3, time = 1)
@Measurement(iterations = 5, time = 1)
public class Downcall {
  private static final MethodHandle CRITICAL = criticalHandle();

  private int version = 1;

  /** Made by JMH, once a thread. */
  public Downcall() {}

  @SuppressWarnings("restricted")
  private static MethodHandle criticalHandle() {
    NativeLibrary.load();
    return Linker.nativeLinker()
        .downcallHandle(
            tessera_h.ts_abi_version$address(),
            tessera_h.ts_abi_version$descriptor(),
            Linker.Option.critical(false));
  }

  /** Through the bindings. */
  @Benchmark
  public int plain() {
    return tessera_h.ts_abi_version();
  }

  /** Through a critical handle. */
  @Benchmark
  public int critical() throws Throwable {
    return (int) CRITICAL.invokeExact();
  }

  /** In Java. */
  @Benchmark
  @CompilerControl(CompilerControl.Mode.DONT_INLINE)
  public int javaMethod() {
    return version;
  }
}
