package dev.tessera.bench;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import org.junit.jupiter.api.Test;

/** Wrong outputs are found, down to the last bit. */
class OutputCheckTest {
  private static final int ROWS = 1025; // a block and one more

  private static VectorData data() {
    float[] rows = new float[ROWS];
    for (int i = 0; i < ROWS; i++) {
      rows[i] = i == 0 ? 0x1p24f : 1; // in fp32, 2^24 + 1 is 2^24
    }
    return new VectorData(rows, new float[] {0, 2}, 1, "steps");
  }

  private static int[] codes() {
    int[] codes = new int[ROWS];
    codes[7] = 1;
    return codes;
  }

  @Test
  void sumsAreAddedByBlocksInFp32() {
    ScatterReference reference = new ScatterReference(data().rows(), 1, codes(), 2);
    assertArrayEquals(new int[] {ROWS - 1, 1}, reference.counts());
    assertArrayEquals(new float[] {0x1p24f, 1}, reference.sums());
  }

  @Test
  void eachWrongElementIsCounted() {
    int[] counts = {ROWS - 1, 1};
    float[] sums = {0x1p24f, 1};
    assertEquals(0, OutputCheck.scatter(data(), codes(), counts, sums));
    counts[0]++;
    sums[1] = Math.nextUp(sums[1]);
    assertEquals(2, OutputCheck.scatter(data(), codes(), counts, sums));

    float[] quantized = new float[ROWS];
    assertEquals(1, OutputCheck.quantized(data(), codes(), quantized));
    quantized[7] = 2;
    assertEquals(0, OutputCheck.quantized(data(), codes(), quantized));

    double error = 0x1p48 + 1022; // row 7 is at distance 1 of its code too
    double right = error + 1 + 1;
    assertEquals(0, OutputCheck.squaredError(data(), codes(), right));
    assertEquals(1, OutputCheck.squaredError(data(), codes(), error));
  }
}
