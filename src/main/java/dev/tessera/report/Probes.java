package dev.tessera.report;

import java.util.List;
import java.util.function.DoubleFunction;

/**
 * Columns over a chart that answer to the pointer with the values at their step. The style sheet
 * hides what they say until then, so no script is needed.
 */
final class Probes {
  private static final int MOST = 60;

  private Probes() {}

  /** Writes them for series over the same steps. */
  static void write(
      Markup out, List<Series> series, DoubleFunction<String> format, Scale x, Scale y) {
    Series first = series.getFirst();
    int n = Math.min(first.size(), MOST);
    int[] points = new int[n];
    double[] at = new double[n];
    for (int i = 0; i < n; i++) {
      points[i] = n == 1 ? 0 : (int) ((long) i * (first.size() - 1) / (n - 1));
      at[i] = x.at(first.step(points[i]));
    }
    for (int i = 0; i < n; i++) {
      double left = i == 0 ? 0 : (at[i - 1] + at[i]) / 2;
      double right = i == n - 1 ? 1 : (at[i] + at[i + 1]) / 2;
      out.open("g", "class", "probe");
      out.empty(
          "rect",
          "x",
          LineChart.percent(left),
          "width",
          LineChart.percent(right - left),
          "y",
          "0",
          "height",
          "100%");
      String where = LineChart.percent(at[i]);
      out.empty("line", "x1", where, "x2", where, "y1", "0", "y2", "100%");
      reading(out, series, format, points[i]);
      for (Series s : series) {
        double step = s.step(points[i]);
        LineChart.dot(out, "dot " + s.style(), step, s.value(points[i]), x, y);
      }
      out.close();
    }
  }

  private static void reading(
      Markup out, List<Series> series, DoubleFunction<String> format, int point) {
    out.open("text", "x", "100%", "y", "0", "dy", "-8");
    out.text("step " + Numbers.count(Math.round(series.getFirst().step(point))));
    for (Series s : series) {
      if (Double.isFinite(s.value(point))) {
        out.element("tspan", format.apply(s.value(point)), "class", s.style(), "dx", "10");
      }
    }
    out.close();
  }
}
