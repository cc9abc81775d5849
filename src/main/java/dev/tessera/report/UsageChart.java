package dev.tessera.report;

import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.stream.IntStream;

/**
 * How often each code was chosen: a bar a code, the most chosen first, and a hatched stretch for
 * the codes that never were. Large codebooks have several codes a bar, which shows their mean.
 */
final class UsageChart {
  private static final int MOST_BARS = 512;
  private static final double LOG_FROM = 50; // greatest over median count

  private final long[] counts; // descending, those above 0
  private final int[] codes; // the code of each count
  private final int all;
  private final long total;

  /** A chart of the choices of each code, of which there is at least one. */
  UsageChart(long[] byCode) {
    this.all = byCode.length;
    this.total = Arrays.stream(byCode).sum();
    this.codes =
        IntStream.range(0, all)
            .filter(k -> byCode[k] > 0)
            .boxed()
            .sorted(Comparator.comparingLong((Integer k) -> byCode[k]).reversed())
            .mapToInt(Integer::intValue)
            .toArray();
    this.counts = Arrays.stream(codes).mapToLong(k -> byCode[k]).toArray();
    if (total < 1) {
      throw new IllegalArgumentException("no code was chosen");
    }
  }

  /** Codes never chosen. */
  int unused() {
    return all - counts.length;
  }

  /** The number of most chosen codes that half of all choices fall on. */
  int half() {
    long sum = 0;
    int n = 0;
    while (2 * sum < total) {
      sum += counts[n++];
    }
    return n;
  }

  /** The code chosen most. */
  int top() {
    return codes[0];
  }

  /** Share of all choices that fell on {@link #top}. */
  double topShare() {
    return (double) counts[0] / total;
  }

  /** Draws it. */
  void writeTo(Markup out) {
    out.open("figure", "class", "chart usage");
    out.open("figcaption");
    out.element("h3", "Choices of each code, most chosen first");
    out.open("span", "class", "key a").text("chosen ");
    out.element("b", Numbers.count(counts.length)).text(" of " + Numbers.count(all)).close();
    out.open("span", "class", "key unused").text("never chosen ");
    out.element("b", Numbers.count(unused())).close();
    if (all > 1) {
      out.open("span", "class", "key even").text("if all were chosen alike ");
      out.element("b", Numbers.fixed((double) total / all, 1)).text(" each").close();
    }
    out.close();
    plot(out);
    out.close();
  }

  private void plot(Markup out) {
    Scale y = scale();
    out.open("svg", "class", "plot", "role", "img", "aria-label", summary());
    out.open("defs");
    out.open(
        "pattern",
        "id",
        "hatch",
        "width",
        "6",
        "height",
        "6",
        "patternUnits",
        "userSpaceOnUse",
        "patternTransform",
        "rotate(45)");
    out.empty("line", "class", "hatch", "x1", "0", "x2", "0", "y1", "0", "y2", "6");
    out.close().close();
    for (Scale.Tick tick : y.ticks()) {
      String at = LineChart.percent(1 - tick.at());
      out.empty("line", "class", "grid", "x1", "0", "x2", "100%", "y1", at, "y2", at);
      out.element("text", tick.label(), "class", "y", "x", "0", "y", at, "dx", "-8", "dy", "4");
    }
    if (unused() > 0) {
      double from = (double) counts.length / all;
      out.open(
          "rect",
          "class",
          "unused",
          "x",
          LineChart.percent(from),
          "width",
          LineChart.percent(1 - from),
          "y",
          "0",
          "height",
          "100%");
      out.element("title", Numbers.count(unused()) + " codes never chosen").close();
    }
    bars(out, y);
    out.empty("line", "class", "axis", "x1", "0", "x2", "100%", "y1", "100%", "y2", "100%");
    evenShare(out, y);
    out.element("text", "1", "class", "x first", "x", "0", "y", "100%", "dy", "18");
    if (all > 1) {
      String last = Numbers.count(all);
      out.element("text", last, "class", "x last", "x", "100%", "y", "100%", "dy", "18");
      out.element("text", "rank", "class", "x", "x", "50%", "y", "100%", "dy", "18");
    }
    if (y instanceof Scale.Log) {
      out.element("text", "log scale", "class", "note", "x", "0", "y", "0", "dy", "-8");
    }
    out.close();
  }

  private void bars(Markup out, Scale y) {
    int n = Math.min(counts.length, MOST_BARS);
    String gaps = all <= 192 ? "bars gaps" : "bars";
    out.open("svg", "class", gaps, "viewBox", "0 0 1000 1000", "preserveAspectRatio", "none");
    for (int bar = 0; bar < n; bar++) {
      int from = (int) ((long) counts.length * bar / n);
      int to = (int) ((long) counts.length * (bar + 1) / n);
      double mean = Arrays.stream(counts, from, to).average().orElseThrow();
      double height = Math.clamp(1000 * y.at(mean), 0, 1000);
      double left = 1000.0 * from / all;
      double width = 1000.0 * (to - from) / all;
      out.open(
          "rect",
          "x",
          number(left),
          "width",
          number(width),
          "y",
          number(1000 - height),
          "height",
          number(height));
      out.element("title", barTitle(from, to, mean)).close();
    }
    out.close();
  }

  private String barTitle(int from, int to, double mean) {
    if (to - from == 1) {
      return String.format(
          Locale.ROOT,
          "code %d: %s times, %s",
          codes[from],
          Numbers.count(counts[from]),
          Numbers.percent((double) counts[from] / total));
    }
    return String.format(
        Locale.ROOT, "ranks %d to %d: %s times each", from + 1, to, Numbers.fixed(mean, 1));
  }

  private void evenShare(Markup out, Scale y) {
    double at = y.at((double) total / all);
    if (all > 1 && at > 0 && at < 1) {
      String place = LineChart.percent(1 - at);
      out.empty("line", "class", "even", "x1", "0", "x2", "100%", "y1", place, "y2", place);
    }
  }

  private Scale scale() {
    long most = counts[0];
    long median = counts[counts.length / 2];
    return most > LOG_FROM * median
        ? new Scale.Log(0.5, most * 1.1) // a code chosen once has a bar too
        : Scale.Linear.round(0, (double) most, 4);
  }

  private String summary() {
    return String.join(
        " ",
        List.of(
            "Choices of each code, most chosen first.",
            Numbers.count(counts.length) + " of " + Numbers.count(all) + " codes were chosen;",
            "the most chosen " + Numbers.count(counts[0]) + " times,",
            "the median of those " + Numbers.count(counts[counts.length / 2]) + " times."));
  }

  private static String number(double value) {
    return String.format(Locale.ROOT, "%.3f", value);
  }
}
