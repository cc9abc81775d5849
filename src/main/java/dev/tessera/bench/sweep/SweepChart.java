package dev.tessera.bench.sweep;

import dev.tessera.bench.sweep.SweepResult.FamilyResult;
import dev.tessera.bench.sweep.SweepResult.ShapeResult;
import dev.tessera.report.PanelChart;
import dev.tessera.report.PanelChart.Line;
import dev.tessera.report.PanelChart.Panel;
import dev.tessera.report.PanelChart.Point;
import dev.tessera.report.PanelChart.Row;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.function.ToDoubleFunction;

/**
 * A sweep as a picture, {@code sweep.svg}: above, how far each family is from the fp32 peak; below,
 * what a row costs. A panel for each D, lines over K.
 */
public final class SweepChart {
  private static final String SGEMM = "sgemm alone";

  private SweepChart() {}

  /** The picture, an SVG document. */
  public static String svg(SweepResult sweep) {
    List<Integer> ds = sweep.shapes().stream().map(ShapeResult::d).distinct().toList();
    Row ratios =
        new Row(
            "Speed: 2NKD / time, as a multiple of the fp32 peak",
            PanelChart.Axis.LINEAR,
            "fp32 peak",
            ds.stream()
                .map(
                    d ->
                        panel(
                            sweep,
                            d,
                            FamilyResult::ratioToFp32Peak,
                            ShapeResult::sgemmRatioToFp32Peak))
                .toList());
    Row costs =
        new Row(
            "Cost: nanoseconds a row",
            PanelChart.Axis.LOGARITHMIC,
            null,
            ds.stream()
                .map(d -> panel(sweep, d, FamilyResult::nanosPerRow, SweepChart::sgemmNanos))
                .toList());
    return new PanelChart(
            "Nearest code, by number of codes K and their length D",
            String.format(
                Locale.ROOT,
                "%s. %s, %d %s, N = %,d; every answer compared with float64 brute force: %s",
                capital(sweep.data()),
                sweep.cpu(),
                sweep.threads(),
                sweep.threads() == 1 ? "thread" : "threads",
                sweep.n(),
                sweep.mismatchesVsFloat64() == 0
                    ? "no mismatch"
                    : sweep.mismatchesVsFloat64() + " mismatches"),
            "K",
            "chosen by the library",
            List.of(ratios, costs))
        .svg();
  }

  private static String capital(String text) {
    return text.substring(0, 1).toUpperCase(Locale.ROOT) + text.substring(1);
  }

  private static Panel panel(
      SweepResult sweep,
      int d,
      ToDoubleFunction<FamilyResult> value,
      ToDoubleFunction<ShapeResult> sgemm) {
    List<ShapeResult> shapes = sweep.shapes().stream().filter(s -> s.d() == d).toList();
    List<Line> lines = new ArrayList<>();
    List<Point> product = new ArrayList<>();
    for (ShapeResult shape : shapes) {
      product.add(new Point(shape.k(), sgemm.applyAsDouble(shape), false));
    }
    lines.add(new Line(SGEMM, "#8a8f98", true, product));
    for (int i = Sweep.FAMILIES.size() - 1; i >= 0; i--) { // the fastest on top
      String family = Sweep.FAMILIES.get(i);
      List<Point> points = new ArrayList<>();
      for (ShapeResult shape : shapes) {
        for (FamilyResult f : shape.families()) {
          if (f.family().equals(family)) {
            points.add(new Point(shape.k(), value.applyAsDouble(f), family.equals(shape.chosen())));
          }
        }
      }
      if (!points.isEmpty()) {
        lines.add(new Line(family, colour(family), false, points));
      }
    }
    return new Panel("D = " + d, lines);
  }

  // The product's time is that of its rate.
  private static double sgemmNanos(ShapeResult shape) {
    return 2.0 * shape.k() * shape.d() / shape.sgemmGflops();
  }

  // Told apart by people with any kind of colour vision (Okabe and Ito's palette).
  private static String colour(String family) {
    return switch (family) {
      case "int8-vnni" -> "#d55e00";
      case "bf16-avx512" -> "#0072b2";
      case "fp32-avx512" -> "#009e73";
      case "fp32-avx2" -> "#cc79a7";
      default -> "#e0a000";
    };
  }
}
