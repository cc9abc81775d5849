package dev.tessera.benchmarks.harness;

import java.util.Map;
import java.util.TreeMap;

/**
 * Environment variables by which this libtorch, {@code org.bytedeco:pytorch}, does its best.
 *
 * <p>Its matrix products are OpenBLAS', whose threads are others than OpenMP's, and spin for some
 * 20 milliseconds after a product: with two of each on two processors, a training step with a
 * product in it takes two to three times as long. And the C library gives freed memory back to the
 * kernel, which clears it before libtorch, which asks for each result anew, gets it again:
 * PyTorch's tuning guide has another allocator for that.
 */
public final class LibtorchSettings {
  /** OpenBLAS' threads sleep as soon as a product is done. */
  public static final Map<String, String> SLEEPING_BLAS = Map.of("OPENBLAS_THREAD_TIMEOUT", "4");

  /** Products of one thread, where what takes the time is not OpenBLAS' work. */
  public static final Map<String, String> SINGLE_BLAS = Map.of("OPENBLAS_NUM_THREADS", "1");

  /** The C library keeps what was freed. */
  public static final Map<String, String> KEEPS_MEMORY =
      Map.of(
          "MALLOC_ARENA_MAX", "1",
          "MALLOC_MMAP_THRESHOLD_", "4294967296",
          "MALLOC_TRIM_THRESHOLD_", "8589934592",
          "MALLOC_TOP_PAD_", "268435456");

  private LibtorchSettings() {}

  /** Both. */
  public static Map<String, String> both(Map<String, String> a, Map<String, String> b) {
    Map<String, String> all = new TreeMap<>(a);
    all.putAll(b);
    return all;
  }
}
