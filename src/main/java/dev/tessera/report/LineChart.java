package dev.tessera.report;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.function.DoubleFunction;
import java.util.stream.DoubleStream;

/**
 * Lines over steps of training. The picture is the plot's box alone, placed in per cent, so that it
 * stretches to any width while its text keeps its size; labels stand outside of the box. Pointing
 * at it shows the values there, by the style sheet alone.
 *
 * @param title what is drawn
 * @param range of the vertical axis
 * @param format of values, in the key and where one points
 * @param series one or more
 */
record LineChart(String title, Range range, DoubleFunction<String> format, List<Series> series) {
  private static final int MOST_POINTS = 600;
  private static final int MOST_DOTS = 40;
  private static final double LOG_FROM = 5; // greatest over least value

  /** What the vertical axis spans. */
  enum Range {
    /** Logarithmic if the values span a lot, otherwise from zero or closely around them. */
    LOSS,
    /** From zero to one at least. */
    FROM_ZERO,
    /** From 0 to 100, per cent. */
    PERCENT,
    /** Closely around the values. */
    CLOSE
  }

  /** Whether there is anything to draw. */
  boolean isEmpty() {
    return drawn().length == 0;
  }

  /** Draws it. */
  void writeTo(Markup out) {
    out.open("figure", "class", "chart");
    out.open("figcaption").element("h3", title);
    for (Series s : series) {
      if (s.finiteValues().length > 0) {
        out.open("span", "class", "key " + s.style()).text(s.label() + " ");
        out.element("b", format.apply(s.last())).close();
      }
    }
    out.close();
    if (isEmpty()) {
      out.element("p", "No values were logged.", "class", "nothing");
    } else {
      plot(out);
    }
    out.close();
  }

  private void plot(Markup out) {
    Scale x = steps();
    Scale y = values();
    out.open("svg", "class", "plot", "role", "img", "aria-label", summary());
    for (Scale.Tick tick : y.ticks()) {
      String at = percent(1 - tick.at());
      out.empty("line", "class", "grid", "x1", "0", "x2", "100%", "y1", at, "y2", at);
      out.element("text", tick.label(), "class", "y", "x", "0", "y", at, "dx", "-8", "dy", "4");
    }
    out.empty("line", "class", "axis", "x1", "0", "x2", "100%", "y1", "100%", "y2", "100%");
    for (Scale.Tick tick : x.ticks()) {
      String place = tick.at() > 0.94 ? "x last" : "x";
      String at = percent(tick.at());
      out.element("text", tick.label(), "class", place, "x", at, "y", "100%", "dy", "18");
    }
    out.element("text", "step", "class", "y", "x", "0", "y", "100%", "dx", "-8", "dy", "18");
    if (y instanceof Scale.Log) {
      out.element("text", "log scale", "class", "note", "x", "0", "y", "0", "dy", "-8");
    }
    out.open("svg", "class", "lines", "viewBox", "0 0 1000 1000", "preserveAspectRatio", "none");
    for (Series s : series) {
      out.empty(
          "path", "class", "line " + s.style(), "d", path(s.joined().thinned(MOST_POINTS), x, y));
    }
    out.close();
    for (Series s : series) {
      Series points = s.joined();
      if (points.size() <= MOST_DOTS) {
        dots(out, points, x, y);
      }
    }
    Probes.write(out, series, format, x, y);
    out.close();
  }

  private static String path(Series s, Scale x, Scale y) {
    StringBuilder d = new StringBuilder();
    boolean pen = false;
    for (int i = 0; i < s.size(); i++) {
      double at = y.at(s.value(i));
      if (!Double.isFinite(at)) {
        pen = false; // zero has no place on a logarithmic axis
        continue;
      }
      d.append(pen ? 'L' : 'M').append(thousandths(x.at(s.step(i))));
      d.append(' ').append(thousandths(1 - at));
      pen = true;
    }
    return d.isEmpty() ? "M0 0" : d.toString();
  }

  private static void dots(Markup out, Series s, Scale x, Scale y) {
    String style = (s.size() == 1 ? "dot only " : "dot ") + s.style();
    for (int i = 0; i < s.size(); i++) {
      dot(out, style, s.step(i), s.value(i), x, y);
    }
  }

  /** A dot where a value has a place. */
  static void dot(Markup out, String style, double step, double value, Scale x, Scale y) {
    double at = y.at(value);
    if (Double.isFinite(at)) {
      out.empty(
          "circle", "class", style, "cx", percent(x.at(step)), "cy", percent(1 - at), "r", "2");
    }
  }

  private Scale steps() {
    double last =
        series.stream().mapToDouble(s -> s.size() == 0 ? 0 : s.step(s.size() - 1)).max().orElse(1);
    return new Scale.Linear(0, Math.max(1, last), 5);
  }

  private Scale values() {
    double[] values = drawn();
    double min = Arrays.stream(values).min().orElse(0);
    double max = Arrays.stream(values).max().orElse(1);
    double least = Arrays.stream(values).filter(v -> v > 0).min().orElse(max);
    return switch (range) {
      case PERCENT -> new Scale.Linear(0, 100, 4);
      case CLOSE -> Scale.Linear.round(min, max, 4);
      case FROM_ZERO -> Scale.Linear.round(Math.min(0, min), Math.max(1, max), 4);
      case LOSS -> {
        if (min >= 0 && max > LOG_FROM * least) {
          double room = Math.pow(max / least, 0.04);
          yield new Scale.Log(least / room, max * room);
        }
        yield Scale.Linear.round(min >= 0 && min < 0.6 * max ? 0 : min, max, 4);
      }
    };
  }

  private double[] drawn() {
    return series.stream().flatMapToDouble(s -> DoubleStream.of(s.finiteValues())).toArray();
  }

  /** What the chart says, for those who do not see it. */
  private String summary() {
    List<String> parts = new ArrayList<>();
    for (Series s : series) {
      double[] values = s.finiteValues();
      if (values.length > 0) {
        parts.add(
            String.format(
                Locale.ROOT,
                "%s: from %s to %s, least %s, greatest %s",
                s.label(),
                format.apply(values[0]),
                format.apply(values[values.length - 1]),
                format.apply(Arrays.stream(values).min().orElseThrow()),
                format.apply(Arrays.stream(values).max().orElseThrow())));
      }
    }
    return title + " over steps. " + String.join(". ", parts) + ".";
  }

  /** A place along an axis, as SVG has it. */
  static String percent(double at) {
    return String.format(Locale.ROOT, "%.2f%%", 100 * at);
  }

  private static String thousandths(double at) {
    return String.format(Locale.ROOT, "%.1f", 1000 * at);
  }
}
