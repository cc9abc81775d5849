package dev.tessera.bench.sweep;

import dev.tessera.bench.BenchPlan;
import java.util.List;

/**
 * The shapes of a sweep.
 *
 * @param ks numbers of codes, ascending
 * @param ds lengths of codes, ascending
 * @param n rows
 * @param threads of each search
 * @param repeats of each measurement; slow families have fewer
 */
public record SweepPlan(List<Integer> ks, List<Integer> ds, int n, int threads, int repeats) {
  /** The shapes of docs/kernels.md. */
  public static final List<Integer> ALL_KS = List.of(64, 256, 512, 1024, 4096, 8192, 16_384);

  /** Likewise. */
  public static final List<Integer> ALL_DS = List.of(8, 16, 32, 64, 128, 256);

  /** Shapes for a first look. */
  public static final List<Integer> QUICK_KS = List.of(64, 512, 4096);

  /** Likewise. */
  public static final List<Integer> QUICK_DS = List.of(16, 64, 256);

  /** Sorts the shapes, and checks the ranges of each. */
  public SweepPlan {
    if (ks.isEmpty() || ds.isEmpty()) {
      throw new IllegalArgumentException("--k and --d need at least one number each");
    }
    ks = ks.stream().sorted().distinct().toList();
    ds = ds.stream().sorted().distinct().toList();
    for (int d : ds) {
      for (int k : ks) {
        BenchPlan.requireRanges(n, k, d, threads, repeats);
      }
    }
  }
}
