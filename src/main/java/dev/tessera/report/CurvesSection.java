package dev.tessera.report;

import dev.tessera.report.LineChart.Range;
import dev.tessera.train.Evaluation;
import dev.tessera.train.MetricsLog.Row;
import java.util.List;
import java.util.function.DoubleFunction;
import java.util.function.ToDoubleFunction;

/** How the run went: its figures over steps, as charts and as a table. */
final class CurvesSection implements Section {
  private final List<Row> rows;

  CurvesSection(List<Row> rows) {
    this.rows = rows;
  }

  @Override
  public String title() {
    return "Training";
  }

  @Override
  public String note() {
    return "Training figures are means since the point before, while the weights were moving;"
        + " held-out ones are taken at that step, over the whole set. Point at a chart to read it.";
  }

  @Override
  public void writeTo(Markup out) {
    out.open("div", "class", "charts");
    both("Loss", Range.LOSS, Numbers::loss, Row::loss, Evaluation.Result::loss).writeTo(out);
    both("Reconstruction (NMSE)", Range.LOSS, Numbers::loss, Row::recon, Evaluation.Result::nmse)
        .writeTo(out);
    both("Quantiser’s loss", Range.LOSS, Numbers::loss, Row::vq, Evaluation.Result::vq)
        .writeTo(out);
    both(
            "Perplexity",
            Range.FROM_ZERO,
            CurvesSection::tenths,
            Row::perplexity,
            Evaluation.Result::perplexity)
        .writeTo(out);
    both(
            "Usage, in %",
            Range.PERCENT, CurvesSection::percent, r -> 100 * r.usage(), h -> 100 * h.usage())
        .writeTo(out);
    LineChart psnr =
        new LineChart(
            "PSNR, in dB", Range.CLOSE, v -> Numbers.fixed(v, 2), List.of(heldOut(h -> h.psnr())));
    if (!psnr.isEmpty()) {
      psnr.writeTo(out);
    }
    out.close();
    FiguresTable.write(out, rows);
  }

  private LineChart both(
      String title,
      Range range,
      DoubleFunction<String> format,
      ToDoubleFunction<Row> training,
      ToDoubleFunction<Evaluation.Result> heldOut) {
    Series first = Series.of("training", "a", rows, Row::step, training);
    return new LineChart(title, range, format, List.of(first, heldOut(heldOut)));
  }

  private Series heldOut(ToDoubleFunction<Evaluation.Result> value) {
    return Series.of("held-out", "b", rows, Row::step, row -> of(row, value));
  }

  private static String tenths(double value) {
    return Numbers.fixed(value, 1);
  }

  private static String percent(double value) {
    return Numbers.withUnit(value, 1, "%");
  }

  private static double of(Row row, ToDoubleFunction<Evaluation.Result> value) {
    Evaluation.Result result = row.heldOut();
    return result == null ? Double.NaN : value.applyAsDouble(result);
  }
}
