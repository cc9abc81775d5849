package dev.tessera.benchmarks.peers;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import dev.tessera.benchmarks.harness.BenchmarkLibrary;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SymbolLookup;
import java.lang.invoke.MethodHandle;
import java.nio.file.Path;

/** The functions of {@code benchmarks/native/faiss_flat.cpp}. */
final class FaissLibrary {
  private static final long MOST_TEXT = 4096;

  private final SymbolLookup lookup;
  private final MethodHandle search;

  private FaissLibrary(SymbolLookup lookup) {
    this.lookup = lookup;
    this.search =
        handle(
            "benchmark_faiss_search",
            FunctionDescriptor.of(JAVA_INT, ADDRESS, ADDRESS, JAVA_LONG, ADDRESS, ADDRESS));
  }

  static FaissLibrary open(Path file) {
    return new FaissLibrary(BenchmarkLibrary.load(file));
  }

  String version() {
    return text("benchmark_faiss_version");
  }

  /** The instruction sets that the library was compiled for, in its own words. */
  String options() {
    return text("benchmark_faiss_options").strip();
  }

  void threads(int count) {
    try {
      handle("benchmark_faiss_threads", FunctionDescriptor.ofVoid(JAVA_INT)).invokeExact(count);
    } catch (Throwable e) {
      throw failed(e);
    }
  }

  /** An index of {@code codes} [k,d]. */
  MemorySegment index(MemorySegment codes, long k, long d) {
    MemorySegment index;
    try {
      index =
          (MemorySegment)
              handle(
                      "benchmark_faiss_open",
                      FunctionDescriptor.of(ADDRESS, ADDRESS, JAVA_LONG, JAVA_LONG))
                  .invokeExact(codes, k, d);
    } catch (Throwable e) {
      throw failed(e);
    }
    if (index.address() == 0) {
      throw new IllegalStateException("FAISS made no index: its message is above");
    }
    return index;
  }

  /** The nearest codes, i64 [n], of {@code rows}, and their squared distances. */
  void search(
      MemorySegment index,
      MemorySegment rows,
      long n,
      MemorySegment distances,
      MemorySegment labels) {
    int status;
    try {
      status = (int) search.invokeExact(index, rows, n, distances, labels);
    } catch (Throwable e) {
      throw failed(e);
    }
    if (status != 0) {
      throw new IllegalStateException("FAISS did not search: its message is above");
    }
  }

  void close(MemorySegment index) {
    try {
      handle("benchmark_faiss_close", FunctionDescriptor.ofVoid(ADDRESS)).invokeExact(index);
    } catch (Throwable e) {
      throw failed(e);
    }
  }

  @SuppressWarnings("restricted")
  private String text(String function) {
    try {
      MemorySegment text =
          (MemorySegment) handle(function, FunctionDescriptor.of(ADDRESS)).invokeExact();
      return text.reinterpret(MOST_TEXT).getString(0);
    } catch (Throwable e) {
      throw failed(e);
    }
  }

  @SuppressWarnings("restricted")
  private MethodHandle handle(String name, FunctionDescriptor descriptor) {
    return Linker.nativeLinker().downcallHandle(BenchmarkLibrary.symbol(lookup, name), descriptor);
  }

  private static IllegalStateException failed(Throwable e) {
    return new IllegalStateException("calling FAISS", e);
  }
}
