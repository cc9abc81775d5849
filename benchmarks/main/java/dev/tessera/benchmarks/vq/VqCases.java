package dev.tessera.benchmarks.vq;

import dev.tessera.benchmarks.vq.VqCase.Data;
import dev.tessera.benchmarks.vq.VqCase.Work;
import java.util.ArrayList;
import java.util.List;

/**
 * The shapes that are measured. A search has the same N K in all of a group, so that all take
 * alike.
 */
public final class VqCases {
  /** Group: searches over K, one thread. */
  public static final String ASSIGN = "assign";

  /** Group: searches over D. */
  public static final String LENGTHS = "assign-d";

  /** Group: searches over N, down to a single row. */
  public static final String ROWS = "assign-n";

  /** Group: searches over threads. */
  public static final String THREADS = "assign-threads";

  /** Group: training steps of the quantiser alone. */
  public static final String STEP = "vq-step";

  private static final int D = 64;
  private static final int STEP_ROWS = 16_384;
  private static final int STEP_CODES = 1_024;
  private static final int PRODUCT = 1 << 24; // N K
  private static final int MOST_ROWS = 65_536;

  private VqCases() {}

  /**
   * All cases.
   *
   * @param quick fewer ones
   */
  public static List<VqCase> all(boolean quick) {
    List<VqCase> cases = new ArrayList<>();
    int[] ks = quick ? new int[] {512, 1024, 8192} : new int[] {64, 256, 512, 1024, 2048, 8192};
    for (int k : ks) {
      cases.add(search(ASSIGN, Data.GAUSSIAN, PRODUCT, k, D, 1));
    }
    for (int k : new int[] {512, 1024, 8192}) {
      cases.add(search(ASSIGN, Data.TRAINED, PRODUCT, k, D, 1));
    }
    for (Data data : Data.values()) {
      cases.add(new VqCase(STEP, Work.STEP, data, STEP_ROWS, STEP_CODES, D, 1));
    }
    if (!quick) {
      for (int d : new int[] {8, 16, 32, 64, 128, 256}) {
        cases.add(search(LENGTHS, Data.GAUSSIAN, PRODUCT / Math.max(1, d / D), 1024, d, 1));
      }
      for (int n : new int[] {1, 10, 100, 1_000, 10_000}) {
        cases.add(new VqCase(ROWS, Work.ASSIGN, Data.GAUSSIAN, n, 512, D, 1));
      }
      for (int threads = 1; threads <= Runtime.getRuntime().availableProcessors(); threads *= 2) {
        cases.add(search(THREADS, Data.GAUSSIAN, 2 * PRODUCT, 1024, D, threads));
      }
    }
    return cases;
  }

  private static VqCase search(String group, Data data, int product, int k, int d, int threads) {
    int n = Math.min(MOST_ROWS, product / k);
    return new VqCase(group, Work.ASSIGN, data, n, k, d, threads);
  }
}
