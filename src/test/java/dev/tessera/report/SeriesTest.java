package dev.tessera.report;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Arrays;
import java.util.Random;
import org.junit.jupiter.api.Test;

class SeriesTest {
  @Test
  void thinningKeepsEndsAndPeaks() {
    Random random = new Random(3);
    double[] steps = new double[10_000];
    double[] values = new double[10_000];
    for (int i = 0; i < steps.length; i++) {
      steps[i] = 10 * i;
      values[i] = random.nextInt(7) == 0 ? Double.NaN : random.nextDouble();
    }
    values[6789] = 50;
    values[1234] = -50;
    Series thin = new Series("s", "a", steps, values).thinned(400);
    assertTrue(thin.size() <= 400, thin.size() + " points");
    assertEquals(0, thin.step(0));
    assertEquals(99_990, thin.step(thin.size() - 1));
    assertEquals(50, Arrays.stream(thin.finiteValues()).max().orElseThrow());
    assertEquals(-50, Arrays.stream(thin.finiteValues()).min().orElseThrow());
    for (int i = 0; i < thin.size(); i++) {
      assertTrue(i == 0 || thin.step(i) > thin.step(i - 1));
      assertEquals(values[(int) thin.step(i) / 10], thin.value(i));
    }
  }

  @Test
  void shortSeriesStayAsTheyAre() {
    double[] some = {1, 2, 3};
    assertArrayEquals(some, new Series("s", "a", some, some).thinned(3).finiteValues());
  }

  @Test
  void joiningLeavesOutWhatCannotBeDrawn() {
    double[] values = {1, Double.NaN, 2, Double.POSITIVE_INFINITY, -1e300};
    Series series = new Series("s", "a", new double[] {10, 20, 30, 40, 50}, values);
    Series joined = series.joined();
    assertEquals(2, joined.size());
    assertEquals(30, joined.step(1));
    assertEquals(2, joined.value(1));
    assertEquals(2, series.last());
  }
}
