package dev.tessera.benchmarks.page;

import dev.tessera.benchmarks.harness.Summary;
import dev.tessera.benchmarks.results.CaseResult;
import dev.tessera.benchmarks.results.Entry;
import dev.tessera.benchmarks.results.Results;
import dev.tessera.report.Markup;
import dev.tessera.report.Section;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/** Every time and ratio, with the file that did the work. */
record RatioSection(Results results) implements Section {
  private static final List<String> HEADS =
      List.of(
          "case",
          "who",
          "time",
          "quartiles",
          "ratio",
          "quartiles",
          "extra MB",
          "same answer",
          "how",
          "code");

  @Override
  public String title() {
    return "All figures";
  }

  @Override
  public String note() {
    return "Ratio: their time over ours, of the same rounds; above 1, ours is faster. "
        + results.plan();
  }

  @Override
  public void writeTo(Markup out) {
    List<List<String>> rows = new ArrayList<>();
    for (CaseResult c : results.cases()) {
      for (Entry e : c.entries()) {
        rows.add(row(c, e));
      }
    }
    DataTable.write(out, "All figures", HEADS, rows);
  }

  private static List<String> row(CaseResult c, Entry e) {
    Summary t = e.time();
    Summary r = e.ratio();
    return List.of(
        c.name() + (c.noisy() ? " (not quiet)" : ""),
        e.name(),
        number(t.median()) + " " + c.unit(),
        number(t.quartile1()) + " – " + number(t.quartile3()),
        r == null ? "" : String.format(Locale.ROOT, "%.2f ×", r.median()),
        r == null ? "" : String.format(Locale.ROOT, "%.2f – %.2f", r.quartile1(), r.quartile3()),
        e.extraBytes() == null ? "" : String.format(Locale.ROOT, "%.2f", e.extraBytes() / 1e6),
        e.agreement(),
        e.form(),
        e.source().substring(e.source().lastIndexOf('/') + 1));
  }

  private static String number(double value) {
    return String.format(Locale.ROOT, value >= 100 ? "%.0f" : "%.3g", value);
  }
}
