package dev.tessera.bench;

/**
 * Counts and sums per code in the header's one order of addition, plainly: for each code the rows
 * ascending within each block of 1,024 rows, from +0, and then the blocks ascending, from +0.
 */
final class ScatterReference {
  private static final int BLOCK = 1024;

  private final int[] counts;
  private final float[] sums;

  /** Of rows [N,D] with these codes [N], each from 0 to K-1. */
  ScatterReference(float[] rows, int d, int[] codes, int k) {
    this.counts = new int[k];
    this.sums = new float[k * d];
    float[] partial = new float[k * d];
    boolean[] touched = new boolean[k];
    for (int from = 0; from < codes.length; from += BLOCK) {
      int to = Math.min(codes.length, from + BLOCK);
      for (int row = from; row < to; row++) {
        counts[codes[row]]++;
        touched[codes[row]] = true;
        add(rows, row * d, partial, codes[row] * d, d);
      }
      for (int row = from; row < to; row++) { // each code of the block once
        int code = codes[row];
        if (touched[code]) {
          touched[code] = false;
          add(partial, code * d, sums, code * d, d);
          java.util.Arrays.fill(partial, code * d, code * d + d, 0);
        }
      }
    }
  }

  private static void add(float[] from, int at, float[] to, int into, int d) {
    for (int i = 0; i < d; i++) {
      to[into + i] += from[at + i];
    }
  }

  /** Rows of each code [K]. */
  int[] counts() {
    return counts;
  }

  /** Sums of the rows of each code [K,D]. */
  float[] sums() {
    return sums;
  }
}
