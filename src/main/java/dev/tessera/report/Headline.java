package dev.tessera.report;

import dev.tessera.model.VqVaeConfig;
import dev.tessera.train.Evaluation;
import dev.tessera.train.MetricsLog.Row;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** The figures at the top of the page. */
final class Headline {
  private Headline() {}

  /** From the last row, and the last one with figures of the held-out set. */
  static List<Figure> of(VqVaeConfig config, List<Row> rows) {
    Row last = rows.isEmpty() ? null : rows.getLast();
    List<Figure> figures = new ArrayList<>(heldOut(config, rows, last));
    double recon = last == null ? Double.NaN : last.recon();
    double speed = last == null ? Double.NaN : last.imagesPerSecond();
    figures.add(new Figure("Training recon", Numbers.loss(recon), ""));
    figures.add(new Figure("Images/s", Numbers.fixed(speed, 0), ""));
    figures.add(new Figure("Steps", Numbers.count(last == null ? 0 : last.step()), ""));
    return figures;
  }

  private static List<Figure> heldOut(VqVaeConfig config, List<Row> rows, @Nullable Row last) {
    Row measured = last;
    for (Row row : rows) {
      measured = row.heldOut() == null ? measured : row;
    }
    Evaluation.Result h = measured == null ? null : measured.heldOut();
    String codes = "of " + Numbers.count(config.quantizer().codes());
    if (h == null) {
      double perplexity = last == null ? Double.NaN : last.perplexity();
      double usage = last == null ? Double.NaN : last.usage();
      return List.of(
          new Figure("Held-out NMSE", Numbers.NONE, ""),
          new Figure("PSNR", Numbers.NONE, ""),
          new Figure("SSIM", Numbers.NONE, ""),
          new Figure("Training perplexity", Numbers.fixed(perplexity, 1), codes),
          new Figure("Training usage", Numbers.percent(usage), used(config, usage)));
    }
    return List.of(
        new Figure("Held-out NMSE", Numbers.loss(h.nmse()), ""),
        new Figure("PSNR", Numbers.withUnit(h.psnr(), 2, "dB"), ""),
        new Figure("SSIM", Numbers.fixed(h.ssim(), 4), ""),
        new Figure("Perplexity", Numbers.fixed(h.perplexity(), 1), codes),
        new Figure("Usage", Numbers.percent(h.usage()), used(config, h.usage())));
  }

  private static String used(VqVaeConfig config, double usage) {
    int codes = config.quantizer().codes();
    return Double.isFinite(usage)
        ? Numbers.count(Math.round(usage * codes)) + " of " + Numbers.count(codes)
        : "";
  }
}
