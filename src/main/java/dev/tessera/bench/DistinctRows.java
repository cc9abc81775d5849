package dev.tessera.bench;

import java.util.Arrays;

/** Collects rows of D numbers, each once: a set in a hash table, in the order of arrival. */
final class DistinctRows {
  private final int dim;
  private float[] rows; // [capacity, D]
  private int[] table; // open addressing: row + 1, 0 where empty; at most half full
  private int count;

  DistinctRows(int dim, int expected) {
    this.dim = dim;
    this.rows = new float[Math.multiplyExact(Math.max(16, expected), dim)];
    this.table = new int[1024];
  }

  /** Adds a row, unless it is there; zeros of either sign are the same. */
  void add(float[] from, int at) {
    if (rows.length == count * dim) {
      rows = Arrays.copyOf(rows, Math.multiplyExact(2, rows.length));
    }
    for (int i = 0; i < dim; i++) {
      rows[count * dim + i] = from[at + i] + 0f; // -0 becomes 0
    }
    int place = place(count);
    if (table[place] == 0) {
      table[place] = ++count;
      if (2 * count > table.length) {
        grow();
      }
    }
  }

  /** Number of different rows. */
  int count() {
    return count;
  }

  /** The rows [count, D]. */
  float[] toArray() {
    return Arrays.copyOf(rows, count * dim);
  }

  // Where a row is in the table, or would be.
  private int place(int row) {
    int from = row * dim;
    int hash = 0;
    for (int i = from; i < from + dim; i++) {
      hash = 31 * hash + Float.floatToRawIntBits(rows[i]);
    }
    int place = (hash * 0x9E3779B9) >>> (32 - Integer.bitCount(table.length - 1));
    while (table[place] != 0 && !same(table[place] - 1, row)) {
      place = (place + 1) & (table.length - 1);
    }
    return place;
  }

  private boolean same(int a, int b) {
    return Arrays.equals(
        rows, a * dim, a * dim + dim, rows, b * dim, b * dim + dim); // by bits, for NaN
  }

  private void grow() {
    table = new int[2 * table.length];
    for (int row = 0; row < count; row++) {
      table[place(row)] = row + 1;
    }
  }
}
