package dev.tessera.report;

import dev.tessera.train.Evaluation;
import dev.tessera.train.MetricsLog.Row;
import java.util.List;

/** The figures behind the curves, folded away until somebody wants to read them. */
final class FiguresTable {
  private static final int MOST_ROWS = 50;
  private static final List<String> HEADS =
      List.of(
          "step",
          "loss",
          "recon",
          "vq",
          "perplexity",
          "usage",
          "images/s",
          "held-out NMSE",
          "held-out PSNR",
          "held-out SSIM",
          "held-out perplexity",
          "held-out usage");

  private FiguresTable() {}

  /** Writes at most {@link #MOST_ROWS} rows, evenly chosen, the last among them. */
  static void write(Markup out, List<Row> rows) {
    int n = Math.min(rows.size(), MOST_ROWS);
    out.open("details");
    out.element("summary", "The figures as a table");
    out.open("div", "class", "scroll", "tabindex", "0", "role", "region", "aria-label", "Figures");
    out.open("table", "class", "log").open("thead").open("tr");
    for (String head : HEADS) {
      out.element("th", head, "scope", "col");
    }
    out.close().close().open("tbody");
    for (int i = 0; i < n; i++) {
      row(out, rows.get(n == 1 ? rows.size() - 1 : (int) ((long) i * (rows.size() - 1) / (n - 1))));
    }
    out.close().close().close();
    if (n < rows.size()) {
      out.element(
          "p", n + " of " + Numbers.count(rows.size()) + " rows; metrics.csv has them all.");
    }
    out.close();
  }

  private static void row(Markup out, Row row) {
    out.open("tr").element("th", Numbers.count(row.step()), "scope", "row");
    cells(out, Numbers.loss(row.loss()), Numbers.loss(row.recon()), Numbers.loss(row.vq()));
    cells(out, Numbers.fixed(row.perplexity(), 1), Numbers.percent(row.usage()));
    cells(out, Numbers.fixed(row.imagesPerSecond(), 0));
    Evaluation.Result h = row.heldOut();
    if (h == null) {
      cells(out, "", "", "", "", "");
    } else {
      cells(out, Numbers.loss(h.nmse()), Numbers.fixed(h.psnr(), 2), Numbers.fixed(h.ssim(), 4));
      cells(out, Numbers.fixed(h.perplexity(), 1), Numbers.percent(h.usage()));
    }
    out.close();
  }

  private static void cells(Markup out, String... values) {
    for (String value : values) {
      out.element("td", value);
    }
  }
}
