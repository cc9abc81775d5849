package dev.tessera.benchmarks.results;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.tessera.benchmarks.harness.Disturbance;
import dev.tessera.benchmarks.harness.Machine;
import dev.tessera.benchmarks.harness.Summary;
import dev.tessera.io.Json;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ResultsTest {
  @TempDir private Path folder;

  @Test
  void aFileGivesBackWhatWasWritten() throws IOException {
    Results results = results("cpu", List.of(ratioOf("assign/a", 20), ratioOf("calls/b", 3)));
    Path file = folder.resolve("results.json");
    Json.write(file, results);
    assertEquals(results, Json.read(file, Results.class));
  }

  @Test
  void aCaseMeasuredAgainReplacesTheEarlierInItsPlace() {
    Results before = results("cpu", List.of(ratioOf("assign/a", 20), ratioOf("assign/b", 3)));
    Results later = results("cpu", List.of(ratioOf("assign/a", 21), ratioOf("assign/c", 4)));
    List<CaseResult> merged = before.with(later).cases();
    assertEquals(
        List.of("assign/a", "assign/b", "assign/c"),
        merged.stream().map(CaseResult::name).toList());
    assertEquals(21, merged.getFirst().entries().getLast().ratio().median());
  }

  @Test
  void resultsOfAnotherMachineAreRefused() {
    Results here = results("cpu", List.of());
    Results there = results("another cpu", List.of());
    assertThrows(IllegalArgumentException.class, () -> here.with(there));
  }

  @Test
  void theTableSaysWhichCasesWereNotQuiet() {
    String table =
        String.join("\n", RatioTable.lines(results("cpu", List.of(ratioOf("assign/a", 20)))));
    assertTrue(table.contains("20.00 x"), table);
    assertTrue(table.contains("NOT QUIET"), table);
  }

  @Test
  void rateCountsWhatASearchOfAllCodesWouldDo() {
    CaseResult c = ratioOf("assign/a", 20);
    // 2 * 1000 * 512 * 64 operations in 1 ms
    assertEquals(65.536, c.gflops(c.ours()), 1e-9);
  }

  private static Results results(String cpu, List<CaseResult> cases) {
    Machine machine = new Machine(cpu, "model", 2, 3000, List.of("avx2"), 1024, "os", "java", 0.5);
    Limits limits = new Limits(100, 200, 400, 50, 10);
    return new Results("1", "quick", machine, limits, Map.of("a", Map.of("version", "1")), cases);
  }

  private static CaseResult ratioOf(String name, double ratio) {
    Entry ours = new Entry("tessera", "form", Summary.of(1, 1), null, "", 100L, "A.java");
    Entry theirs =
        new Entry("peer", "form", Summary.of(ratio), Summary.of(ratio), "same", null, "B.java");
    return new CaseResult(
        name,
        name.substring(0, name.indexOf('/')),
        "what",
        1000,
        512,
        64,
        1,
        "data",
        "ms",
        3,
        6,
        0,
        new Disturbance.Report(1, 0),
        "2026-01-01T00:00:00Z",
        List.of(ours, theirs));
  }
}
