package dev.tessera.benchmarks.page;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.tessera.benchmarks.harness.Machine;
import dev.tessera.benchmarks.harness.Summary;
import dev.tessera.benchmarks.results.CaseResult;
import dev.tessera.benchmarks.results.Entry;
import dev.tessera.benchmarks.results.Limits;
import dev.tessera.benchmarks.results.Results;
import java.io.StringReader;
import java.util.List;
import java.util.Map;
import javax.xml.parsers.DocumentBuilderFactory;
import org.junit.jupiter.api.Test;
import org.w3c.dom.Document;
import org.xml.sax.InputSource;

class BenchmarkPageTest {
  @Test
  void pageIsWellFormedAndDrawsWhatWasMeasured() throws Exception {
    String html =
        BenchmarkPage.html(
            results(List.of(search("assign/trained/a", 1024), search("assign/trained/b", 8192))));
    Document page = parsed(html);
    // Codes and memory: the other groups were not measured.
    assertEquals(2, svgs(page));
    assertTrue(html.contains("12.0 ×"), html);
    assertTrue(html.contains("&lt;odd &amp; form&gt;"), html);
    assertFalse(html.contains("http://") && html.contains("src="), "needs a network");
  }

  @Test
  void aPageOfNothingIsAPage() throws Exception {
    assertEquals(0, svgs(parsed(BenchmarkPage.html(results(List.of())))));
  }

  private static int svgs(Document page) {
    return page.getElementsByTagName("svg").getLength();
  }

  private static Document parsed(String html) throws Exception {
    return DocumentBuilderFactory.newInstance()
        .newDocumentBuilder()
        .parse(new InputSource(new StringReader(html.replace("<!DOCTYPE html>", ""))));
  }

  private static Results results(List<CaseResult> cases) {
    Machine machine =
        new Machine("cpu", "model", 2, 3000, List.of("avx2"), 1024, "os", "java", 0.5);
    return new Results("1", "quick", machine, new Limits(100, 200, 400, 50, 10), Map.of(), cases);
  }

  private static CaseResult search(String name, int k) {
    Entry ours = new Entry("tessera", "form", Summary.of(1), null, "", 3_000_000L, "a/A.java");
    Entry theirs =
        new Entry(
            "libtorch, formula",
            "<odd & form>",
            Summary.of(12),
            Summary.of(12),
            "same",
            90_000_000L,
            "b/B.java");
    return new CaseResult(
        name,
        "assign",
        "what",
        1000,
        k,
        64,
        1,
        "data",
        "ms",
        1,
        1,
        0,
        null,
        "2026",
        List.of(ours, theirs));
  }
}
