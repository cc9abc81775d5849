package dev.tessera.cli;

import dev.tessera.data.DatasetSplit;
import dev.tessera.io.ImageFiles;
import dev.tessera.io.ImageGrid;
import dev.tessera.model.VqVaeConfig;
import dev.tessera.report.Report;
import dev.tessera.train.Evaluation;
import dev.tessera.train.MetricsLog;
import dev.tessera.train.Pictures;
import dev.tessera.train.RunFolder;
import dev.tessera.train.RunInfo;
import dev.tessera.train.Trainer;
import java.io.IOException;
import java.io.PrintWriter;
import java.util.List;
import java.util.Locale;

/** The end of a run: pictures, report, and the figures that the command prints. */
record RunSummary(RunFolder folder, Figures figures) {
  static final int PICTURES = 32;
  private static final int COLUMNS = 8;

  /** What {@code tessera train --json} prints. */
  record Figures(
      String run,
      String config,
      String data,
      long seed,
      long steps,
      double recon,
      double vq,
      double perplexity,
      double usage,
      double heldoutNmse,
      double heldoutPsnr,
      double heldoutSsim,
      double heldoutPerplexity,
      double heldoutUsage,
      double imagesPerSecond) {}

  static RunSummary finish(
      VqVaeConfig config, RunInfo info, RunFolder folder, DatasetSplit images, Trainer trainer)
      throws IOException {
    Evaluation.Full heldOut = trainer.evaluate();
    Pictures pictures = trainer.pictures(PICTURES);
    ImageFiles.writePng(folder.originals(), ImageGrid.of(pictures.originals(), COLUMNS));
    ImageFiles.writePng(
        folder.reconstructions(), ImageGrid.of(pictures.reconstructions(), COLUMNS));
    Report.write(
        folder,
        config,
        info,
        trainer.log(),
        pictures.originals(),
        pictures.reconstructions(),
        heldOut.usage(),
        trainer.model().parameters().count(),
        List.of()); // priors of before were of other codes
    MetricsLog.Row last = trainer.log().rows().getLast();
    Evaluation.Result h = heldOut.result();
    return new RunSummary(
        folder,
        new Figures(
            folder.path().toString(),
            config.name(),
            images.name(),
            info.seed(),
            last.step(),
            last.recon(),
            last.vq(),
            last.perplexity(),
            last.usage(),
            h.nmse(),
            h.psnr(),
            h.ssim(),
            h.perplexity(),
            h.usage(),
            last.imagesPerSecond()));
  }

  void print(PrintWriter out) {
    out.printf(
        Locale.ROOT,
        "%nheld-out: NMSE %.4f, PSNR %.2f dB, SSIM %.4f, perplexity %.1f, usage %.1f %%%n"
            + "report:   %s%n",
        figures.heldoutNmse(),
        figures.heldoutPsnr(),
        figures.heldoutSsim(),
        figures.heldoutPerplexity(),
        100 * figures.heldoutUsage(),
        folder.report());
  }
}
