package dev.tessera.report;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.stream.DoubleStream;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * Rows of small charts with the same lines in each, as one SVG document of fixed size that needs
 * neither a style sheet nor a network. The horizontal axis is logarithmic and marks every value
 * that was measured; the vertical axis is the same for all panels of a row, so that they can be
 * compared.
 *
 * @param title above everything
 * @param subtitle below the title
 * @param across what the horizontal axis is
 * @param marked what it means that a point is marked; null if none ever is
 * @param rows from top to bottom
 */
public record PanelChart(
    String title, String subtitle, String across, @Nullable String marked, List<Row> rows) {
  private static final int WIDTH = 1200;
  private static final int MARGIN = 56;
  private static final int COLUMNS = 3;
  private static final int GAP = 66; // between panels, with room for the labels of an axis
  private static final int PLOT_HEIGHT = 200;
  private static final int PANEL_HEIGHT = PLOT_HEIGHT + 66;
  private static final int HEAD = 128;
  private static final int ROW_HEAD = 44;
  private static final int LEGEND_TOP = 100;
  private static final int LEGEND_LINE = 22;
  private static final String INK = "#1d2125";
  private static final String SOFT = "#5b616a";
  private static final String GRID = "#e6e4de";
  private static final String FONT =
      "system-ui, -apple-system, Segoe UI, Roboto, Helvetica Neue, Liberation Sans, Arial,"
          + " sans-serif";

  /** How a row's vertical axis runs. */
  public enum Axis {
    /** From zero. */
    LINEAR,
    /** For values above zero. */
    LOGARITHMIC
  }

  /**
   * Charts with the same vertical axis.
   *
   * @param title above them
   * @param axis the vertical one
   * @param one what the value 1 stands for, drawn as a line; null for none
   * @param panels one or more
   */
  public record Row(String title, Axis axis, @Nullable String one, List<Panel> panels) {}

  /** A chart: the lines drawn later lie above the others. */
  public record Panel(String title, List<Line> lines) {}

  /**
   * A line.
   *
   * @param label the same in all panels
   * @param colour as SVG has it
   * @param dashed for what is only there to compare with
   * @param points ascending in x
   */
  public record Line(String label, String colour, boolean dashed, List<Point> points) {}

  /** A point; {@code x} above 0. */
  public record Point(double x, double y, boolean marked) {}

  /** Draws it, as a document. */
  public String svg() {
    Markup out = new Markup();
    writeTo(out);
    return out.fragment();
  }

  /** Draws it into a page. */
  public void writeTo(Markup out) {
    int head = HEAD + (legendLines() - 1) * LEGEND_LINE;
    int height = head + MARGIN / 2;
    for (Row row : rows) {
      height += ROW_HEAD + lines(row) * PANEL_HEIGHT;
    }
    out.open(
        "svg",
        "class",
        "panels",
        "xmlns",
        "http://www.w3.org/2000/svg",
        "width",
        Integer.toString(WIDTH),
        "height",
        Integer.toString(height),
        "viewBox",
        "0 0 " + WIDTH + " " + height,
        "font-family",
        FONT,
        "font-size",
        "12",
        "fill",
        INK);
    out.element("title", title);
    out.empty("rect", "width", "100%", "height", "100%", "fill", "#ffffff");
    text(out, title, MARGIN, 44, "font-size", "22", "font-weight", "600");
    text(out, subtitle, MARGIN, 68, "font-size", "13", "fill", SOFT);
    legend(out);
    int top = head;
    for (Row row : rows) {
      text(out, row.title(), MARGIN, top + 22, "font-size", "16", "font-weight", "600");
      draw(out, row, top + ROW_HEAD);
      top += ROW_HEAD + lines(row) * PANEL_HEIGHT;
    }
    out.close();
  }

  private static int lines(Row row) {
    return (row.panels().size() + COLUMNS - 1) / COLUMNS;
  }

  // Lines by their labels, in the order of the key: those drawn last lie on top and come first.
  private List<Line> key() {
    Map<String, Line> all = new LinkedHashMap<>();
    rows.stream()
        .flatMap(row -> row.panels().stream())
        .flatMap(panel -> panel.lines().stream())
        .forEach(line -> all.putIfAbsent(line.label(), line));
    return all.values().stream().toList().reversed();
  }

  private static double legendWidth(String label) {
    return 33 + 7.2 * label.length() + 26;
  }

  private int legendLines() {
    int lines = 1;
    double x = MARGIN;
    for (Line line : key()) {
      if (x > MARGIN && x + legendWidth(line.label()) > WIDTH - MARGIN) {
        lines++;
        x = MARGIN;
      }
      x += legendWidth(line.label());
    }
    return lines;
  }

  private void legend(Markup out) {
    double x = MARGIN;
    double y = LEGEND_TOP;
    for (Line line : key()) {
      if (x > MARGIN && x + legendWidth(line.label()) > WIDTH - MARGIN) {
        x = MARGIN;
        y += LEGEND_LINE;
      }
      segment(out, line, x, y, x + 26, y);
      text(out, line.label(), x + 33, y + 4);
      x += legendWidth(line.label());
    }
    if (marked != null) {
      circle(out, x + 8, y, 5.5, "fill", "none", "stroke", INK, "stroke-width", "1.6");
      text(out, marked, x + 21, y + 4);
    }
  }

  private void draw(Markup out, Row row, int top) {
    double width = (WIDTH - 2.0 * MARGIN - (COLUMNS - 1) * GAP) / COLUMNS;
    Scale x = across(row);
    Scale y = up(row);
    for (int i = 0; i < row.panels().size(); i++) {
      double left = MARGIN + i % COLUMNS * (width + GAP);
      int line = i / COLUMNS;
      double above = top + line * PANEL_HEIGHT;
      panel(out, row, row.panels().get(i), new Box(left, above + 24, width, PLOT_HEIGHT, x, y));
    }
  }

  /** The place of a plot, and its axes. */
  private record Box(double left, double top, double width, double height, Scale x, Scale y) {
    double across(double value) {
      return left + width * x.at(value);
    }

    double up(double value) {
      return top + height * (1 - y.at(value));
    }

    double right() {
      return left + width;
    }

    double bottom() {
      return top + height;
    }
  }

  private void panel(Markup out, Row row, Panel panel, Box box) {
    text(out, panel.title(), box.left, box.top - 9, "font-size", "13", "font-weight", "600");
    for (Scale.Tick tick : box.y.ticks()) {
      double y = box.top + box.height * (1 - tick.at());
      rule(out, box.left, y, box.right(), y, GRID, "1");
      text(out, tick.label(), box.left - 7, y + 4, "text-anchor", "end", "fill", SOFT);
    }
    double last = Double.NEGATIVE_INFINITY;
    for (double value : measured(row)) {
      double x = box.across(value);
      rule(out, x, box.bottom(), x, box.bottom() + 4, SOFT, "1");
      if (x - last > 34) {
        String label = value < 1e5 ? Numbers.exact(value) : Numbers.compact(value, 2);
        text(out, label, x, box.bottom() + 18, "text-anchor", "middle", "fill", SOFT);
        last = x;
      }
    }
    text(out, across, box.right() + 16, box.bottom() + 18, "fill", SOFT, "font-style", "italic");
    rule(out, box.left, box.bottom(), box.right(), box.bottom(), SOFT, "1");
    if (row.one() != null) {
      double y = box.up(1);
      rule(out, box.left, y, box.right(), y, INK, "1.2");
      text(
          out,
          row.one(),
          box.right() - 4,
          y - 5,
          "text-anchor",
          "end",
          "fill",
          INK,
          "font-size",
          "11");
    }
    panel.lines().forEach(line -> line(out, line, box));
  }

  private static void line(Markup out, Line line, Box box) {
    StringBuilder path = new StringBuilder();
    for (Point point : line.points()) {
      path.append(path.isEmpty() ? 'M' : 'L').append(number(box.across(point.x())));
      path.append(' ').append(number(box.up(point.y())));
    }
    List<String> attributes =
        new ArrayList<>(
            List.of(
                "d",
                path.toString(),
                "fill",
                "none",
                "stroke",
                line.colour(),
                "stroke-width",
                "2",
                "stroke-linejoin",
                "round"));
    if (line.dashed()) {
      attributes.addAll(List.of("stroke-dasharray", "5 4"));
    }
    out.empty("path", attributes.toArray(new String[0]));
    for (Point point : line.points()) {
      double x = box.across(point.x());
      double y = box.up(point.y());
      if (!line.dashed()) {
        circle(out, x, y, 2.6, "fill", line.colour());
      }
      if (point.marked()) {
        circle(out, x, y, 5.5, "fill", "none", "stroke", INK, "stroke-width", "1.6");
      }
    }
  }

  private Scale across(Row row) {
    double[] values = measured(row);
    double low = values[0];
    double high = values[values.length - 1];
    double room = low == high ? 2 : Math.pow(high / low, 0.03);
    return new Scale.Log(low / room, high * room);
  }

  private static double[] measured(Row row) {
    return points(row).mapToDouble(Point::x).sorted().distinct().toArray();
  }

  private static Scale up(Row row) {
    double[] values = points(row).mapToDouble(Point::y).filter(Double::isFinite).toArray();
    double high = DoubleStream.of(values).max().orElse(1);
    double low = DoubleStream.of(values).min().orElse(1);
    return row.axis() == Axis.LINEAR
        ? Scale.Linear.round(0, Math.max(high, 1), 4)
        : new Scale.Log(low / 1.3, high * 1.3);
  }

  private static Stream<Point> points(Row row) {
    return row.panels().stream()
        .flatMap(panel -> panel.lines().stream())
        .flatMap(line -> line.points().stream());
  }

  private static void segment(Markup out, Line line, double x1, double y1, double x2, double y2) {
    String dashes = line.dashed() ? "5 4" : "none";
    out.empty(
        "line",
        "x1",
        number(x1),
        "y1",
        number(y1),
        "x2",
        number(x2),
        "y2",
        number(y2),
        "stroke",
        line.colour(),
        "stroke-width",
        "2.5",
        "stroke-dasharray",
        dashes);
  }

  private static void rule(
      Markup out, double x1, double y1, double x2, double y2, String colour, String width) {
    out.empty(
        "line",
        "x1",
        number(x1),
        "y1",
        number(y1),
        "x2",
        number(x2),
        "y2",
        number(y2),
        "stroke",
        colour,
        "stroke-width",
        width);
  }

  private static void circle(Markup out, double x, double y, double r, String... attributes) {
    List<String> all = new ArrayList<>(List.of("cx", number(x), "cy", number(y), "r", number(r)));
    all.addAll(List.of(attributes));
    out.empty("circle", all.toArray(new String[0]));
  }

  private static void text(Markup out, String text, double x, double y, String... attributes) {
    List<String> all = new ArrayList<>(List.of("x", number(x), "y", number(y)));
    all.addAll(List.of(attributes));
    out.element("text", text, all.toArray(new String[0]));
  }

  private static String number(double value) {
    return String.format(Locale.ROOT, "%.1f", value);
  }
}
