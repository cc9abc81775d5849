package dev.tessera.benchmarks.vq;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.junit.jupiter.api.Test;

/** Rows 0 and 10 among codes 0, 10 and, by rounding, 10 again. */
class NearestAgreementTest {
  private static final VqInputs INPUTS =
      new VqInputs(new float[][] {{0, 10}}, new float[] {0, 10, Math.nextUp(10f)}, new float[0], 1);
  private static final NearestAgreement.Truth TRUTH = NearestAgreement.Truth.of(INPUTS);

  @Test
  void theRightCodesAgree() {
    NearestAgreement a = NearestAgreement.of(TRUTH, new int[] {0, 1});
    assertTrue(a.ok());
    assertEquals(0, a.differing());
  }

  @Test
  void aCodeAsNearButForRoundingAgreesAndIsCounted() {
    NearestAgreement a = NearestAgreement.of(TRUTH, new int[] {0, 2});
    assertTrue(a.ok());
    assertEquals(1, a.differing());
  }

  @Test
  void aFartherCodeDoesNotAgree() {
    assertFalse(NearestAgreement.of(TRUTH, new int[] {1, 1}).ok());
  }

  @Test
  void codesOutOfRangeAndTooFewAreRefused() {
    assertThrows(IllegalStateException.class, () -> NearestAgreement.of(TRUTH, new int[] {-1, 1}));
    assertThrows(IllegalStateException.class, () -> NearestAgreement.of(TRUTH, new int[] {0, 3}));
    assertThrows(IllegalStateException.class, () -> NearestAgreement.of(TRUTH, new int[] {0}));
  }
}
