package dev.tessera.bench;

import dev.tessera.data.Philox;
import dev.tessera.nn.RandomStreams;
import java.util.Arrays;

/**
 * Compares codes with {@link BruteForce}: of all rows, or of a random part of them where all would
 * take minutes.
 */
public final class CodeCheck {
  /** Multiply-adds up to which all rows are checked: about half a minute on two processors. */
  public static final double ALL_ROWS_UP_TO = 2e11;

  private final int[] checked; // rows
  private final int[] right; // their codes

  /**
   * What a comparison found.
   *
   * @param mismatches rows whose code is not the contract's
   * @param rowsChecked rows that were compared
   */
  public record Result(long mismatches, long rowsChecked) {}

  /**
   * Finds the right codes of {@code data}.
   *
   * @param limit of multiply-adds; {@link #ALL_ROWS_UP_TO}
   */
  public CodeCheck(VectorData data, double limit) {
    this.checked = chosen(data, limit);
    this.right = new BruteForce(data.codes(), data.d()).nearest(data.rows(), checked);
  }

  /** Compares codes, one a row of the data. */
  public Result compare(int[] codes) {
    long mismatches = 0;
    for (int i = 0; i < checked.length; i++) {
      if (codes[checked[i]] != right[i]) {
        mismatches++;
      }
    }
    return new Result(mismatches, checked.length);
  }

  private static int[] chosen(VectorData data, double limit) {
    int[] rows = new int[data.n()];
    Arrays.setAll(rows, i -> i);
    double perRow = (double) data.k() * data.d();
    if (rows.length * perRow <= limit) {
      return rows;
    }
    new Philox(1, RandomStreams.BENCHMARK, 4).shuffle(rows);
    int[] some = Arrays.copyOf(rows, (int) Math.max(1, limit / perRow));
    Arrays.sort(some);
    return some;
  }
}
