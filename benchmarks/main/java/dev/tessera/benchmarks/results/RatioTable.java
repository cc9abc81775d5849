package dev.tessera.benchmarks.results;

import dev.tessera.benchmarks.harness.Disturbance;
import dev.tessera.benchmarks.harness.Summary;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/** The ratios of a run, one line a case and contestant. */
public final class RatioTable {
  private RatioTable() {}

  /**
   * Lines for people. {@code ratio} is the contestant's time over ours: how many times as fast ours
   * is.
   */
  public static List<String> lines(Results results) {
    List<String> lines = new ArrayList<>();
    String group = "";
    for (CaseResult c : results.cases()) {
      if (!c.group().equals(group)) {
        group = c.group();
        lines.add("");
        lines.add(
            String.format(
                "%-34s %-26s %22s %24s", group, "", "time (quartiles)", "ratio (quartiles)"));
      }
      String shape = c.name().substring(c.name().indexOf('/') + 1);
      for (Entry e : c.entries()) {
        lines.add(line(shape, c, e));
        shape = "";
      }
      Disturbance.Report others = c.disturbance();
      if (others != null && !others.quiet()) {
        lines.add(
            String.format(
                Locale.ROOT,
                "%-34s NOT QUIET: others used %.2f processors, %.2f were stolen",
                "",
                others.others(),
                others.stolen()));
      }
    }
    return lines;
  }

  private static String line(String shape, CaseResult c, Entry e) {
    String extra =
        e.extraBytes() == null
            ? ""
            : String.format(Locale.ROOT, "  %,.2f MB extra", e.extraBytes() / 1e6);
    String rate = c.k() == 0 ? "" : String.format(Locale.ROOT, "  %.1f GFLOP/s", c.gflops(e));
    return String.format(
            "%-34s %-26s %22s %24s%s%s",
            shape,
            e.name(),
            time(e.time(), c.unit()),
            e.ratio() == null ? "" : ratio(e.ratio()),
            rate,
            extra)
        .stripTrailing();
  }

  private static String time(Summary t, String unit) {
    return String.format(
        Locale.ROOT,
        "%s %s (%s-%s)",
        digits(t.median()),
        unit,
        digits(t.quartile1()),
        digits(t.quartile3()));
  }

  private static String ratio(Summary r) {
    return String.format(
        Locale.ROOT, "%.2f x (%.2f-%.2f)", r.median(), r.quartile1(), r.quartile3());
  }

  // Three significant digits, without an exponent.
  private static String digits(double value) {
    int after = value >= 100 ? 0 : value >= 10 ? 1 : value >= 1 ? 2 : 4;
    return String.format(Locale.ROOT, "%." + after + "f", value);
  }
}
