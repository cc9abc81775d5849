package dev.tessera.cli;

import dev.tessera.device.Device;
import dev.tessera.io.ImageFiles;
import dev.tessera.io.ImageGrid;
import dev.tessera.io.PixelImage;
import dev.tessera.model.VqVaeConfig;
import dev.tessera.prior.Codes;
import dev.tessera.prior.PriorConfig;
import dev.tessera.prior.PriorFolder;
import dev.tessera.prior.PriorInfo;
import dev.tessera.prior.PriorMetrics;
import dev.tessera.report.PriorFigures;
import dev.tessera.report.Report;
import dev.tessera.train.CodeUsage;
import dev.tessera.train.MetricsLog;
import dev.tessera.train.RunFolder;
import dev.tessera.train.RunInfo;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/** A run's page written again, with its priors; from the run's files alone, without its images. */
final class RunReport {
  private RunReport() {}

  static void write(RunFolder folder, RunCodes codes, Device device, int threads)
      throws IOException {
    VqVaeConfig config = folder.readConfig();
    RunInfo info = folder.readInfo();
    CodeUsage usage = new CodeUsage(config.quantizer().codes());
    usage.add(codes.split().heldOut().values());
    int shown = Math.min(RunSummary.PICTURES, codes.split().heldOut().count());
    long parameters;
    try (RunModel model = new RunModel(folder, device, threads)) {
      parameters = model.parameters();
    }
    List<PriorFigures> priors = new ArrayList<>();
    for (String name : RunPriors.names(folder)) {
      PriorFolder prior = RunPriors.folder(folder, name);
      if (Files.exists(prior.metrics()) && prior.readInfo().source().equals(codes.source())) {
        priors.add(figures(name, prior, codes));
      }
    }
    Report.write(
        folder,
        config,
        info,
        MetricsLog.read(folder.metrics()),
        pictures(folder.originals(), config.image(), shown),
        pictures(folder.reconstructions(), config.image(), shown),
        usage,
        parameters,
        priors);
  }

  private static List<PixelImage> pictures(Path file, VqVaeConfig.ImageConfig image, int most)
      throws IOException {
    return Files.exists(file)
        ? ImageGrid.images(ImageFiles.read(file), image.height(), image.width(), most)
        : List.of();
  }

  private static PriorFigures figures(String name, PriorFolder prior, RunCodes codes)
      throws IOException {
    PriorConfig config = prior.readConfig();
    PriorInfo info = prior.readInfo();
    List<PriorMetrics.Row> rows = PriorMetrics.read(prior.metrics()).rows();
    List<PriorFigures.Epoch> epochs = new ArrayList<>();
    List<PriorFigures.Sample> kept = new ArrayList<>();
    double best = Double.POSITIVE_INFINITY;
    for (PriorMetrics.Row row : rows) {
      epochs.add(new PriorFigures.Epoch(row.epoch(), row.step(), row.nats(), row.heldOutNats()));
      best = Math.min(best, row.heldOutNats());
      if (Files.exists(prior.samplesOf(row.epoch()))) {
        kept.add(
            new PriorFigures.Sample(row.epoch(), ImageFiles.read(prior.samplesOf(row.epoch()))));
      }
    }
    Codes train = codes.split().train();
    PriorConfig.Grid grid = config.grid();
    return new PriorFigures(
        name,
        lead(config, info, best),
        epochs,
        Math.log(grid.codes()),
        train.positionEntropy(grid.codes()) / grid.positions(),
        kept,
        Files.exists(prior.samples()) ? ImageFiles.read(prior.samples()) : null);
  }

  private static String lead(PriorConfig config, PriorInfo info, double best) {
    String kind =
        switch (config.kind()) {
          case PIXELCNN -> "A PixelCNN";
          case TRANSFORMER -> "A transformer";
        };
    PriorConfig.Grid grid = config.grid();
    double bits = best * grid.positions() / Math.log(2);
    return String.format(
        java.util.Locale.ROOT,
        "%s over %s, trained with seed %d. Held-out at its best: %.3f nats a code, %.1f bits an"
            + " image. Lines to stay below: what guessing among all codes costs, and what each"
            + " code's frequency at each place does.",
        kind,
        grid,
        info.seed(),
        best,
        bits);
  }
}
