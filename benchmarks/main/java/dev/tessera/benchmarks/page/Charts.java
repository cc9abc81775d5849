package dev.tessera.benchmarks.page;

import dev.tessera.benchmarks.results.CaseResult;
import dev.tessera.benchmarks.results.Entry;
import dev.tessera.benchmarks.results.Results;
import dev.tessera.benchmarks.vq.VqCases;
import dev.tessera.report.PanelChart;
import dev.tessera.report.PanelChart.Axis;
import dev.tessera.report.PanelChart.Line;
import dev.tessera.report.PanelChart.Panel;
import dev.tessera.report.PanelChart.Point;
import dev.tessera.report.PanelChart.Row;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.function.ToDoubleBiFunction;
import java.util.function.ToDoubleFunction;

/** Charts of searches: rate over K, D, N and threads; memory over N K. */
record Charts(Results results) {
  private static final String RATE = "2NKD / time, GFLOP/s";
  private static final String HOW_TO_READ =
      "2NKD is the arithmetic of a search that scores every code in full, whatever a search really"
          + " does; so a search that passes codes over may exceed the peak of the core.";

  // Contestants from the slowest to ours, which lies on top.
  private static final List<String> ORDER =
      List.of(
          "libtorch, cdist",
          "libtorch, formula",
          "libtorch, blocked",
          "FAISS, IndexFlatL2",
          "Java Vector API",
          "oneDNN sgemm alone",
          "libtorch, for speed",
          "libtorch, lucidrains",
          "tessera");

  ChartSection codes() {
    return rates(VqCases.ASSIGN, "Search, by number of codes", "K", c -> c.k());
  }

  ChartSection lengths() {
    return rates(VqCases.LENGTHS, "Search, by length of a code", "D", c -> c.d());
  }

  ChartSection rows() {
    return rates(VqCases.ROWS, "Search, by number of rows", "N", c -> c.n());
  }

  ChartSection threads() {
    return rates(VqCases.THREADS, "Search, by threads", "threads", c -> c.threads());
  }

  /** Bytes beyond inputs, outputs and state, of searches among as many codes. */
  ChartSection memory() {
    List<CaseResult> all = new ArrayList<>(group(VqCases.ROWS));
    all.addAll(group(VqCases.ASSIGN));
    int k = all.isEmpty() ? 0 : all.getFirst().k();
    List<CaseResult> searches =
        all.stream().filter(c -> c.k() == k && data(c).equals(data(all.getFirst()))).toList();
    List<Panel> panels = new ArrayList<>();
    addPanel(
        panels,
        "search among " + k + " codes",
        searches,
        c -> (double) c.n() * c.k(),
        (c, e) -> e.extraBytes() == null ? Double.NaN : Math.max(1, e.extraBytes() / 1e6));
    return new ChartSection(
        "Memory",
        "The most that is held at once beyond inputs, outputs and state, counted in malloc by the"
            + " same rule for all. Codes packed for the search count as extra. Less than 1 MB is"
            + " drawn as 1. Other shapes, and training steps, are in the table of all figures.",
        new PanelChart(
            "Extra memory, by N K",
            subtitle(),
            "N·K",
            null,
            List.of(
                new Row("MB beyond inputs, outputs and state", Axis.LOGARITHMIC, null, panels))));
  }

  private ChartSection rates(
      String group, String title, String across, ToDoubleFunction<CaseResult> x) {
    List<Panel> panels = new ArrayList<>();
    ToDoubleBiFunction<CaseResult, Entry> rate = CaseResult::gflops;
    for (String data : List.of("gaussian", "trained")) {
      List<CaseResult> cases =
          group(group).stream().filter(c -> c.name().contains("/" + data + "/")).toList();
      addPanel(panels, label(data), cases, x, rate);
    }
    return new ChartSection(
        title,
        HOW_TO_READ,
        new PanelChart(
            title,
            subtitle(),
            across,
            null,
            List.of(new Row(RATE, Axis.LOGARITHMIC, null, panels))));
  }

  // Of a case named GROUP/DATA/SHAPE.
  private static String data(CaseResult test) {
    return test.name().split("/", -1)[1];
  }

  private static String label(String data) {
    return data.equals("trained") ? "outputs of a trained encoder" : "Gaussian rows and codes";
  }

  private static void addPanel(
      List<Panel> panels,
      String title,
      List<CaseResult> cases,
      ToDoubleFunction<CaseResult> x,
      ToDoubleBiFunction<CaseResult, Entry> y) {
    List<Line> lines = new ArrayList<>();
    for (String name : ORDER) {
      List<Point> points = new ArrayList<>();
      for (CaseResult c : cases) {
        for (Entry e : c.entries()) {
          double value = y.applyAsDouble(c, e);
          if (e.name().equals(name) && Double.isFinite(value)) {
            points.add(new Point(x.applyAsDouble(c), value, false));
          }
        }
      }
      points.sort(Comparator.comparingDouble(Point::x));
      if (!points.isEmpty()) {
        lines.add(new Line(name, colour(name), name.startsWith("oneDNN"), points));
      }
    }
    if (!lines.isEmpty()) {
      panels.add(new Panel(title, lines));
    }
  }

  private List<CaseResult> group(String group) {
    return results.cases().stream().filter(c -> c.group().equals(group)).toList();
  }

  private String subtitle() {
    return String.format(
        Locale.ROOT,
        "%s. One core's peaks: %.0f GFLOP/s fp32, %.0f bf16, %.0f GOP/s int8.",
        results.machine().cpu(),
        results.limits().fp32(),
        results.limits().bf16(),
        results.limits().int8());
  }

  // Told apart by people with any kind of colour vision (Okabe and Ito's palette).
  private static String colour(String contestant) {
    return switch (contestant) {
      case "tessera" -> "#d55e00";
      case "libtorch, blocked", "libtorch, for speed" -> "#56b4e9";
      case "libtorch, formula", "libtorch, lucidrains" -> "#0072b2";
      case "libtorch, cdist" -> "#004368";
      case "FAISS, IndexFlatL2" -> "#009e73";
      case "Java Vector API" -> "#cc79a7";
      default -> "#8a8f98";
    };
  }
}
