package dev.tessera.benchmarks.vq;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;

import dev.tessera.bench.BruteForce;
import java.util.Arrays;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class VectorApiSearchTest {
  // Rows fewer than a tile and beside one, codes fewer than a vector and beside a panel.
  @ParameterizedTest
  @CsvSource({"1,1,1", "3,5,7", "4,64,64", "5,65,64", "9,130,3", "33,1000,17"})
  void findsTheNearestCode(int n, int k, int d) {
    Random random = new Random(7L * n + k);
    float[] rows = normal(random, n * d);
    float[] codes = normal(random, k * d);
    int[] all = new int[n];
    Arrays.setAll(all, i -> i);
    int[] found = new int[n];
    Arrays.fill(found, -1);
    new VectorApiSearch(codes, d).nearest(rows, found);
    assertArrayEquals(new BruteForce(codes, d).nearest(rows, all), found);
  }

  @Test
  void ofEqualCodesTheLowestWins() {
    float[] codes = new float[200];
    Arrays.fill(codes, 1);
    codes[0] = 5;
    int[] found = {-1};
    new VectorApiSearch(codes, 1).nearest(new float[] {1}, found);
    assertArrayEquals(new int[] {1}, found);
  }

  private static float[] normal(Random random, int count) {
    float[] values = new float[count];
    for (int i = 0; i < count; i++) {
      values[i] = (float) random.nextGaussian();
    }
    return values;
  }
}
