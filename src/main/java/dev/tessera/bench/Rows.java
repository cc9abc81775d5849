package dev.tessera.bench;

/** Rows of flat arrays [rows, D]. */
final class Rows {
  private Rows() {}

  /**
   * Rows {@code order[from]} to {@code order[from + count - 1]} of {@code all} [.., D], in turn.
   */
  static float[] pick(float[] all, int d, int[] order, int from, int count) {
    float[] picked = new float[Math.multiplyExact(count, d)];
    for (int i = 0; i < count; i++) {
      System.arraycopy(all, order[from + i] * d, picked, i * d, d);
    }
    return picked;
  }
}
