package dev.tessera.benchmarks.harness;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import org.junit.jupiter.api.Test;

class SummaryTest {
  @Test
  void oddSamplesHaveTheirMiddleValueAsMedian() {
    assertEquals(new Summary(5, 1, 2, 3, 4, 100), Summary.of(100, 3, 1, 4, 2));
  }

  @Test
  void quantilesLieBetweenValuesWhereTheyMust() {
    assertEquals(new Summary(4, 1, 1.75, 2.5, 3.25, 4), Summary.of(4, 3, 2, 1));
  }

  @Test
  void oneValueIsEverything() {
    assertEquals(new Summary(1, 7, 7, 7, 7, 7), Summary.of(7));
  }

  @Test
  void nothingHasNoMedian() {
    assertThrows(IllegalArgumentException.class, Summary::of);
  }
}
