package dev.tessera.bench;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.Arrays;
import java.util.Random;
import org.junit.jupiter.api.Test;

/** The reference that everything is compared with, and the comparison. */
class BruteForceTest {
  private final Random random = new Random(7);

  private VectorData data(int n, int k, int d) {
    float[] rows = new float[n * d];
    float[] codes = new float[k * d];
    for (int i = 0; i < rows.length; i++) {
      rows[i] = (float) random.nextGaussian();
    }
    for (int i = 0; i < codes.length; i++) {
      codes[i] = (float) random.nextGaussian();
    }
    return new VectorData(rows, codes, d, "random");
  }

  private static int[] all(int n) {
    int[] rows = new int[n];
    Arrays.setAll(rows, i -> i);
    return rows;
  }

  // The contract, word for word.
  private static int nearest(VectorData data, int row) {
    double least = Double.POSITIVE_INFINITY;
    int code = -1;
    for (int k = 0; k < data.k(); k++) {
      double acc = 0;
      for (int i = 0; i < data.d(); i++) {
        double diff =
            (double) data.rows()[row * data.d() + i] - (double) data.codes()[k * data.d() + i];
        acc = Math.fma(diff, diff, acc);
      }
      if (acc < least) {
        least = acc;
        code = k;
      }
    }
    return code;
  }

  @Test
  void tiledSearchIsTheContractForEveryShape() {
    int[][] shapes = {{1, 1, 1}, {5, 256, 4}, {70, 257, 7}, {129, 600, 3}, {3, 1000, 33}};
    for (int[] shape : shapes) {
      VectorData data = data(shape[0], shape[1], shape[2]);
      int[] right = new int[data.n()];
      Arrays.setAll(right, row -> nearest(data, row));
      int[] found = new BruteForce(data.codes(), data.d()).nearest(data.rows(), all(data.n()));
      assertArrayEquals(right, found, Arrays.toString(shape));
    }
  }

  @Test
  void ofEqualSumsTheLowestCodeWins() {
    float[] codes = new float[700 * 2];
    Arrays.fill(codes, 3); // all the same, over three tiles
    codes[2 * 5] = 1;
    codes[2 * 600] = 1;
    float[] row = {1, 3};
    assertArrayEquals(new int[] {5}, new BruteForce(codes, 2).nearest(row, new int[] {0}));
  }

  @Test
  void everyWrongCodeIsCounted() {
    VectorData data = data(300, 40, 8);
    CodeCheck check = new CodeCheck(data, CodeCheck.ALL_ROWS_UP_TO);
    int[] codes = new BruteForce(data.codes(), 8).nearest(data.rows(), all(300));
    assertEquals(new CodeCheck.Result(0, 300), check.compare(codes));
    for (int row : new int[] {0, 17, 299}) {
      codes[row] = (codes[row] + 1) % 40;
    }
    codes[44] = -1;
    assertEquals(new CodeCheck.Result(4, 300), check.compare(codes));
  }

  @Test
  void whereAllRowsTakeTooLongSomeAreCheckedAndSaidToBe() {
    VectorData data = data(300, 40, 8);
    CodeCheck check = new CodeCheck(data, 100 * 40 * 8);
    int[] wrong = new int[300];
    Arrays.fill(wrong, -1);
    assertEquals(new CodeCheck.Result(100, 100), check.compare(wrong));
  }
}
