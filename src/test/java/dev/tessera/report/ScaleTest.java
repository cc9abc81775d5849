package dev.tessera.report;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.HashSet;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;

class ScaleTest {
  private static List<String> labels(Scale scale) {
    return scale.ticks().stream().map(Scale.Tick::label).toList();
  }

  @Test
  void linearTicksAreRound() {
    assertEquals(List.of("0", "20", "40", "60"), labels(Scale.Linear.round(0, 46.7, 4)));
    assertEquals(List.of("10", "15", "20", "25"), labels(Scale.Linear.round(12.5, 24.5, 4)));
    assertEquals(List.of("0", "25", "50", "75", "100"), labels(new Scale.Linear(0, 100, 4)));
    assertEquals(List.of("0", "500", "1000", "1500", "2000"), labels(new Scale.Linear(0, 2130, 5)));
  }

  @Test
  void logarithmicTicksAreRound() {
    assertEquals(List.of("0.05", "0.1", "0.2", "0.5"), labels(new Scale.Log(0.04, 0.7)));
    assertEquals(List.of("1", "10", "100", "1000", "10k"), labels(new Scale.Log(0.5, 20_000)));
    assertEquals(0.5, new Scale.Log(0.01, 100).at(1), 1e-12);
  }

  @Test
  void whatHasNoPlaceIsNotFinite() {
    assertFalse(Double.isFinite(new Scale.Log(0.01, 100).at(0)));
    assertFalse(Double.isFinite(new Scale.Log(0.01, 100).at(-1)));
    assertFalse(Double.isFinite(new Scale.Linear(0, 1, 4).at(Double.NaN)));
  }

  @Test
  void anyRangeHoldsItsValuesAndHasAFewDistinctTicks() {
    Random random = new Random(5);
    for (int i = 0; i < 20_000; i++) {
      double size = Math.pow(10, random.nextInt(-12, 13));
      double a = size * random.nextGaussian();
      double b = random.nextInt(10) == 0 ? a : a + size * random.nextDouble() * 3;
      Scale.Linear scale = Scale.Linear.round(a, b, 4);
      assertTrue(scale.at(a) >= -1e-6 && scale.at(b) <= 1 + 1e-6, a + " to " + b);
      List<Scale.Tick> ticks = scale.ticks();
      assertTrue(ticks.size() >= 2 && ticks.size() <= 8, a + " to " + b + ": " + ticks);
      assertEquals(
          ticks.size(), new HashSet<>(labels(scale)).size(), a + " to " + b + ": " + ticks);
    }
  }

  @Test
  void anyLogarithmicRangeHasAFewTicks() {
    Random random = new Random(6);
    for (int i = 0; i < 5_000; i++) {
      double low = Math.pow(10, random.nextDouble(-30, 10));
      double high = low * Math.pow(10, random.nextDouble(0.7, 60));
      int ticks = new Scale.Log(low, high).ticks().size();
      assertTrue(ticks >= 2 && ticks <= 6, low + " to " + high + ": " + ticks);
    }
  }

  @Test
  void emptyRangesAreRefused() {
    assertThrows(IllegalArgumentException.class, () -> new Scale.Linear(1, 1, 4));
    assertThrows(IllegalArgumentException.class, () -> new Scale.Linear(0, Double.NaN, 4));
    assertThrows(IllegalArgumentException.class, () -> new Scale.Log(0, 1));
  }
}
