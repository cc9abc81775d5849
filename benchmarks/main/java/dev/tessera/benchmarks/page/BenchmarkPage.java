package dev.tessera.benchmarks.page;

import dev.tessera.benchmarks.harness.Machine;
import dev.tessera.benchmarks.harness.Summary;
import dev.tessera.benchmarks.results.CaseResult;
import dev.tessera.benchmarks.results.Entry;
import dev.tessera.benchmarks.results.Results;
import dev.tessera.benchmarks.vq.VqCases;
import dev.tessera.report.Figure;
import dev.tessera.report.Page;
import dev.tessera.report.Section;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/** {@code ./tessera benchmark --report}: one static page of a file of results. */
public final class BenchmarkPage {
  private BenchmarkPage() {}

  /** The page as HTML. */
  public static String html(Results results) {
    Machine m = results.machine();
    List<Section> sections = new ArrayList<>();
    Charts charts = new Charts(results);
    addIfAny(sections, charts.codes());
    addIfAny(sections, charts.lengths());
    addIfAny(sections, charts.rows());
    addIfAny(sections, charts.threads());
    addIfAny(sections, charts.memory());
    sections.add(new CostSection(results));
    sections.add(new RatioSection(results));
    sections.add(new SetupSection(results));
    String lead =
        String.format(
            Locale.ROOT,
            "%s (%s), %d processors. %s",
            m.cpu(),
            m.model(),
            m.cpus(),
            results.cases().stream().anyMatch(CaseResult::noisy)
                ? "Some cases were measured while others used the machine: they are marked."
                : "No case was disturbed by others.");
    return new Page(
            "Tessera benchmarks", "How fast, beside others", lead, figures(results), sections)
        .html();
  }

  private static void addIfAny(List<Section> sections, ChartSection section) {
    if (!section.isEmpty()) {
      sections.add(section);
    }
  }

  // One for each contestant of the search at K = 1,024 on an encoder's outputs, and of the step.
  private static List<Figure> figures(Results results) {
    List<Figure> figures = new ArrayList<>();
    for (CaseResult c : results.cases()) {
      boolean search =
          c.group().equals(VqCases.ASSIGN) && c.name().contains("/trained/") && c.k() == 1024;
      boolean step = c.group().equals(VqCases.STEP) && c.name().contains("/trained/");
      if (!search && !step) {
        continue;
      }
      for (Entry e : c.entries()) {
        Summary ratio = e.ratio();
        if (ratio != null && figures.size() < 8) {
          figures.add(
              new Figure(
                  (step ? "Quantiser step, " : "Search, ") + e.name(),
                  String.format(Locale.ROOT, "%.1f ×", ratio.median()),
                  ""));
        }
      }
    }
    return figures;
  }
}
