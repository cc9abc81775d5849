package dev.tessera.data;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.tessera.io.Seeds;
import java.util.Arrays;
import java.util.SplittableRandom;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

final class PhiloxTest {
  /** The three vectors of Random123's kat_vectors for philox4x32 with 10 rounds. */
  @Test
  void knownAnswersOfRandom123() {
    check(
        new int[] {0, 0, 0, 0},
        new int[] {0, 0},
        new int[] {0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8});
    check(
        new int[] {-1, -1, -1, -1},
        new int[] {-1, -1},
        new int[] {0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd});
    check(
        new int[] {0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344},
        new int[] {0xa4093822, 0x299f31d0},
        new int[] {0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1});
  }

  /** The layout of ts_random_uniform: key (seed), counter (i / 4, stream, step). */
  @Test
  void wordsAreThoseOfTheCHeadersLayout() {
    long seed = 0x299f31d0a4093822L;
    long step = 0x0370734413198a2eL;
    Philox random = new Philox(seed, 0x85a308d3, step);
    SplittableRandom fresh = Seeds.fresh("PhiloxTest.wordsAreThose");
    int count = 40 + fresh.nextInt(100);
    int[] words = IntStream.range(0, count).map(i -> random.nextInt()).toArray();
    for (int i = 0; i < count; i++) {
      int[] block = {i / 4, 0x85a308d3, 0x13198a2e, 0x03707344};
      Philox.bijection(block, 0xa4093822, 0x299f31d0);
      assertEquals(block[i % 4], words[i]);
    }
    Philox again = new Philox(seed, 0x85a308d3, step);
    for (int word : words) {
      assertEquals((word >>> 8) * (1.0 / 16777216.0), again.nextFloat());
    }
  }

  @Test
  void doublesTakeTwoWords() {
    Philox words = new Philox(3, 4, 5);
    Philox doubles = new Philox(3, 4, 5);
    for (int i = 0; i < 100; i++) {
      long bits = ((long) (words.nextInt() >>> 5) << 26) + (words.nextInt() >>> 6);
      double value = doubles.nextDouble();
      assertEquals(bits / (double) (1L << 53), value);
      assertTrue(value >= 0 && value < 1);
    }
  }

  @Test
  void boundedIntegersAreUniform() {
    SplittableRandom fresh = Seeds.fresh("PhiloxTest.boundedIntegers");
    Philox random = new Philox(fresh.nextLong(), 0x100, 0);
    int[] counts = new int[7];
    int draws = 70_000;
    for (int i = 0; i < draws; i++) {
      counts[random.nextInt(7)]++;
    }
    // Chi-square with 6 degrees of freedom exceeds 42 once in 5 million.
    assertTrue(chiSquare(counts, draws) < 42, Arrays.toString(counts));
    for (int bound : new int[] {1, 2, 3, 1 << 30, (1 << 30) + 1, Integer.MAX_VALUE}) {
      for (int i = 0; i < 100; i++) {
        int value = random.nextInt(bound);
        assertTrue(value >= 0 && value < bound);
      }
    }
    assertThrows(IllegalArgumentException.class, () -> random.nextInt(0));
  }

  /** With bound 3 * 2^29 an unrejected product would favour a third of the values by 2 to 1... */
  @Test
  void largeBoundsAreNotBiased() {
    SplittableRandom fresh = Seeds.fresh("PhiloxTest.largeBounds");
    Philox random = new Philox(fresh.nextLong(), 0x100, 0);
    int bound = 3 << 29;
    int[] counts = new int[3];
    int draws = 90_000;
    for (int i = 0; i < draws; i++) {
      counts[random.nextInt(bound) % 3]++;
    }
    // Chi-square with 2 degrees of freedom exceeds 31 once in 5 million.
    assertTrue(chiSquare(counts, draws) < 31, Arrays.toString(counts));
  }

  @Test
  void allOrdersOfFourAreAsLikely() {
    SplittableRandom fresh = Seeds.fresh("PhiloxTest.allOrders");
    Philox random = new Philox(fresh.nextLong(), Philox.SHUFFLE, 0);
    int[] counts = new int[256];
    int draws = 48_000;
    for (int i = 0; i < draws; i++) {
      int[] order = {0, 1, 2, 3};
      random.shuffle(order);
      counts[order[0] * 64 + order[1] * 16 + order[2] * 4 + order[3]]++;
    }
    int[] orders = Arrays.stream(counts).filter(c -> c > 0).toArray();
    assertEquals(24, orders.length);
    // Chi-square with 23 degrees of freedom exceeds 77 once in 10 million.
    assertTrue(chiSquare(orders, draws) < 77, Arrays.toString(orders));
  }

  @Test
  void momentsOfTheDistributionsAreRight() {
    SplittableRandom fresh = Seeds.fresh("PhiloxTest.moments");
    Philox random = new Philox(fresh.nextLong(), 0x100, 1);
    int n = 200_000;
    double[] sums = new double[8];
    for (int i = 0; i < n; i++) {
      double uniform = random.nextDouble();
      double normal = random.nextNormal();
      double truncated = random.nextTruncatedNormal();
      assertTrue(Math.abs(truncated) < 2);
      sums[0] += uniform;
      sums[1] += uniform * uniform;
      sums[2] += normal;
      sums[3] += normal * normal;
      sums[4] += normal * normal * normal * normal;
      sums[5] += truncated;
      sums[6] += truncated * truncated;
      sums[7] += random.nextFloat();
    }
    // Bounds are six standard errors or more.
    assertEquals(0.5, sums[0] / n, 0.004);
    assertEquals(1.0 / 3.0, sums[1] / n, 0.004);
    assertEquals(0, sums[2] / n, 0.014);
    assertEquals(1, sums[3] / n, 0.02);
    assertEquals(3, sums[4] / n, 0.14);
    assertEquals(0, sums[5] / n, 0.012);
    assertEquals(0.7737, sums[6] / n, 0.012); // 0.8796 squared
    assertEquals(0.5, sums[7] / n, 0.004);
  }

  private static void check(int[] counter, int[] key, int[] expected) {
    int[] block = counter.clone();
    Philox.bijection(block, key[0], key[1]);
    assertArrayEquals(expected, block);
  }

  private static double chiSquare(int[] counts, int draws) {
    double expected = draws / (double) counts.length;
    return Arrays.stream(counts).mapToDouble(c -> (c - expected) * (c - expected) / expected).sum();
  }
}
