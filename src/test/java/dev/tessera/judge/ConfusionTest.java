package dev.tessera.judge;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import org.junit.jupiter.api.Test;

class ConfusionTest {
  private static final int[] ACTUAL = {0, 0, 0, 0, 1, 1, 1, 3, 3, 3, 3};
  private static final int[] TAKEN = {0, 1, 1, 3, 1, 1, 0, 0, 3, 0, 0};

  @Test
  void countsByHand() {
    Confusion c = Confusion.of(4, ACTUAL, TAKEN);
    assertEquals(
        List.of(List.of(1, 2, 0, 1), List.of(1, 2, 0, 0), List.of(0, 0, 0, 0), List.of(3, 0, 0, 1)),
        c.rows());
    assertEquals(11, c.images());
    assertEquals(4, c.right());
    assertEquals(4.0 / 11, c.share());
    assertEquals(4, c.images(0));
    assertEquals(2, c.count(0, 1));
    assertEquals(1, c.count(1, 0));
    assertEquals(0.25, c.share(0));
    assertEquals(2.0 / 3, c.share(1));
    assertTrue(Double.isNaN(c.share(2)), "no image of class 2");
    assertEquals(0.25, c.share(3));
  }

  @Test
  void mistakesComeCommonestFirst() {
    Confusion c = Confusion.of(4, ACTUAL, TAKEN);
    assertEquals(
        List.of(
            new Confusion.Mistake(3, 0, 3),
            new Confusion.Mistake(0, 1, 2),
            new Confusion.Mistake(0, 3, 1)),
        c.mistakes(3));
    assertEquals(4, c.mistakes(100).size());
    assertEquals(List.of(), Confusion.of(2, new int[] {1}, new int[] {1}).mistakes(5));
  }

  @Test
  void whatDoesNotFitIsRefused() {
    assertThrows(IllegalArgumentException.class, () -> Confusion.of(4, ACTUAL, new int[3]));
    assertThrows(IllegalArgumentException.class, () -> Confusion.of(3, ACTUAL, TAKEN));
    assertThrows(
        IllegalArgumentException.class, () -> Confusion.of(3, new int[] {0}, new int[] {-1}));
    assertThrows(IllegalArgumentException.class, () -> Confusion.of(4, ACTUAL, TAKEN).count(0, 4));
  }
}
