package dev.tessera.benchmarks.harness;

import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.SymbolLookup;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;
import java.nio.file.Path;
import java.util.Map;

/**
 * Counts what the calling thread holds from the C library's malloc and its kin, by the same rule
 * for every library: {@code benchmarks/native/allocations.c} stands before the C library.
 */
final class Allocations {
  private static final String PRELOAD = "LD_PRELOAD";

  private final SymbolLookup library;

  private Allocations(SymbolLookup library) {
    this.library = library;
  }

  /** What a process that counts must be started with. */
  static Map<String, String> environment() {
    return Map.of(PRELOAD, BenchmarkLibrary.allocations().toString());
  }

  /**
   * Begins to count, from zero.
   *
   * @throws IllegalStateException if the process was not started with {@link #environment}
   */
  static Allocations start() {
    String file = System.getenv(PRELOAD);
    if (file == null) {
      throw new IllegalStateException("allocations are counted only under " + PRELOAD);
    }
    Allocations count = new Allocations(BenchmarkLibrary.load(Path.of(file)));
    count.call("benchmark_allocations_start");
    return count;
  }

  /** Forgets earlier peaks. */
  void mark() {
    call("benchmark_allocations_mark");
  }

  /** The most that was held since {@link #mark}, in bytes since {@link #start}; ends the count. */
  long peak() {
    try {
      return (long)
          handle("benchmark_allocations_peak", FunctionDescriptor.of(ValueLayout.JAVA_LONG))
              .invokeExact();
    } catch (Throwable e) {
      throw new IllegalStateException("counting allocations", e);
    }
  }

  private void call(String name) {
    try {
      handle(name, FunctionDescriptor.ofVoid()).invokeExact();
    } catch (Throwable e) {
      throw new IllegalStateException("counting allocations", e);
    }
  }

  @SuppressWarnings("restricted")
  private MethodHandle handle(String name, FunctionDescriptor descriptor) {
    return Linker.nativeLinker().downcallHandle(BenchmarkLibrary.symbol(library, name), descriptor);
  }
}
