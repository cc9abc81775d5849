package dev.tessera.bench;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.List;
import java.util.function.DoubleSupplier;
import java.util.stream.DoubleStream;
import org.junit.jupiter.api.Test;

/** Order and statistics of measurements. */
class RoundsTest {
  private static double spin(double seconds) {
    long end = System.nanoTime() + (long) (seconds * 1e9);
    while (System.nanoTime() < end) {
      Thread.onSpinWait();
    }
    return seconds;
  }

  @Test
  void partsAreMeasuredInTurn() {
    List<String> order = new ArrayList<>();
    DoubleSupplier a =
        () -> {
          order.add("a");
          return spin(1e-3);
        };
    DoubleSupplier b =
        () -> {
          order.add("b");
          return spin(2e-3);
        };
    Rounds rounds = Rounds.measure(4, List.of(a, b));
    assertEquals("a", order.getFirst());
    assertEquals("b", order.getLast());
    assertEquals(8 + rounds.thrownAway(), order.size());
    assertEquals(1e-3, rounds.of(0).median());
    assertEquals(2e-3, rounds.of(1).median());
  }

  @Test
  void timeWithoutAProcessorIsNotCountedForAThreadAlone() {
    Runnable sleeper =
        () -> {
          try {
            Thread.sleep(20);
          } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
          }
          spin(1e-4);
        };
    Stopwatch alone = new Stopwatch(1, sleeper);
    Rounds rounds = Rounds.measure(1, List.of(alone::measure));
    assertTrue(rounds.of(0).median() < 0.01, rounds.of(0).toString());
    assertTrue(rounds.lost(0) > 0.5, "lost " + rounds.lost(0));
    assertTrue(new Stopwatch(2, sleeper).measure() >= 0.02);
  }

  @Test
  void quartilesInterpolate() {
    assertEquals(new Quartiles(1.75, 2.5, 3.25), Quartiles.of(DoubleStream.of(4, 1, 3, 2)));
    assertEquals(new Quartiles(5, 5, 5), Quartiles.of(DoubleStream.of(5)));
    assertThrows(IllegalArgumentException.class, () -> Quartiles.of(DoubleStream.of()));
  }
}
