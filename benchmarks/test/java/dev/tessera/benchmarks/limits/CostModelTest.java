package dev.tessera.benchmarks.limits;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.tessera.benchmarks.harness.Summary;
import dev.tessera.benchmarks.results.CaseResult;
import dev.tessera.benchmarks.results.Entry;
import dev.tessera.benchmarks.results.Limits;
import java.util.List;
import org.junit.jupiter.api.Test;

class CostModelTest {
  @Test
  void manyCodesAreLimitedByTheFastestArithmetic() {
    CostModel cost = CostModel.of(search(1000, 500, 100), new Limits(50, 100, 400, 100, 10));
    assertEquals(1e8, cost.operations());
    assertEquals(0.25, cost.milliseconds(), 1e-12); // 1e8 / 400e9 s
    assertEquals("arithmetic", cost.bound());
    assertEquals(0.125, cost.reached(), 1e-12); // of 2 ms
  }

  @Test
  void oneCodeIsLimitedByMemory() {
    CostModel cost = CostModel.of(search(1000, 1, 100), new Limits(50, 100, 400, 100, 10));
    assertEquals("memory", cost.bound());
    assertEquals(4.0 * (100_000 + 100 + 1000), cost.bytes());
  }

  @Test
  void thisMachineHasLimits() {
    Limits limits = MeasuredLimits.measure();
    assertTrue(limits.fp32() > 0 && limits.l2() > 0 && limits.memory() > 0, limits::toString);
    assertTrue(limits.bf16() >= 0 && limits.int8() >= 0, limits::toString);
  }

  private static CaseResult search(int n, int k, int d) {
    Entry ours = new Entry("tessera", "", Summary.of(2), null, "", null, "A.java");
    return new CaseResult(
        "assign/a", "assign", "", n, k, d, 1, "", "ms", 1, 1, 0, null, "2026", List.of(ours));
  }
}
