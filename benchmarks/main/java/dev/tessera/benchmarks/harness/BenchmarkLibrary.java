package dev.tessera.benchmarks.harness;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SymbolLookup;
import java.lang.invoke.MethodHandle;
import java.nio.file.Files;
import java.nio.file.Path;

/**
 * The C code of the benchmarks ({@code benchmarks/native}), unpacked from the jar: not part of the
 * product.
 */
public final class BenchmarkLibrary {
  private static final String MAIN = "libtessera_benchmark.so";
  private static final String ALLOCATIONS = "libtessera_benchmark_allocations.so";

  private BenchmarkLibrary() {}

  /** The library that is loaded; initialised on first use. */
  private static final class Loaded {
    static final SymbolLookup LOOKUP = load(unpack(MAIN));
  }

  /** Loads the library, for its JNI methods. */
  public static void load() {
    if (Loaded.LOOKUP.find("benchmark_add_one").isEmpty()) {
      throw new IllegalStateException(MAIN + " has no benchmark_add_one");
    }
  }

  /** The address of one of its functions. */
  public static MemorySegment symbol(String name) {
    return symbol(Loaded.LOOKUP, name);
  }

  /** A handle that calls one of its functions. */
  @SuppressWarnings("restricted")
  public static MethodHandle function(
      String name, FunctionDescriptor descriptor, Linker.Option... options) {
    return Linker.nativeLinker().downcallHandle(symbol(name), descriptor, options);
  }

  /** A file with the library that counts allocations, for LD_PRELOAD; deleted at the end. */
  static Path allocations() {
    return unpack(ALLOCATIONS);
  }

  /** Loads a library and looks for its symbols. */
  @SuppressWarnings("restricted")
  public static SymbolLookup load(Path file) {
    System.load(file.toAbsolutePath().toString());
    return SymbolLookup.loaderLookup();
  }

  /** The address of a library's function. */
  public static MemorySegment symbol(SymbolLookup lookup, String name) {
    return lookup
        .find(name)
        .orElseThrow(() -> new IllegalStateException("no function " + name + " in the library"));
  }

  private static Path unpack(String name) {
    try (InputStream in = BenchmarkLibrary.class.getResourceAsStream(name)) {
      if (in == null) {
        throw new IllegalStateException(
            name + " is missing beside " + BenchmarkLibrary.class + ": build benchmarks by Maven");
      }
      Path folder = Files.createTempDirectory("tessera-benchmark-library");
      Path file = folder.resolve(name);
      Files.copy(in, file);
      folder.toFile().deleteOnExit(); // in reverse order: the file first
      file.toFile().deleteOnExit();
      return file;
    } catch (IOException e) {
      throw new UncheckedIOException("cannot unpack " + name, e);
    }
  }
}
