package dev.tessera.cli;

import dev.tessera.device.Device;
import dev.tessera.io.ImageFiles;
import dev.tessera.io.ImageGrid;
import dev.tessera.prior.CodeSampler;
import dev.tessera.prior.PriorConfig;
import dev.tessera.prior.PriorFolder;
import dev.tessera.prior.PriorInfo;
import dev.tessera.prior.PriorMetrics;
import dev.tessera.prior.PriorTrainer;
import dev.tessera.prior.SampleOptions;
import dev.tessera.train.RunFolder;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;

/**
 * Draws a few images after some epochs of a prior's training, with the weights as they are, from
 * the same random numbers each time.
 */
final class EpochSamples implements PriorTrainer.Listener, AutoCloseable {
  /** Epochs that samples are kept of. */
  static final int KEPT = 6;

  private static final int ROWS = 2;

  private final PriorTrainer.Listener next;
  private final PriorFolder folder;
  private final PriorConfig config;
  private final PriorInfo info;
  private final PriorTrainer trainer;
  private final Device device;
  private final RunModel model;

  EpochSamples(
      PriorTrainer.Listener next,
      RunFolder run,
      PriorFolder folder,
      PriorConfig config,
      PriorInfo info,
      PriorTrainer trainer,
      Device device)
      throws IOException {
    this.next = next;
    this.folder = folder;
    this.config = config;
    this.info = info;
    this.trainer = trainer;
    this.device = device;
    this.model = new RunModel(run, device, info.threads());
  }

  /** Whether samples of an epoch are kept: of the first, the last and some between. */
  static boolean isKept(int epoch, int epochs) {
    for (int i = 0; i < KEPT; i++) {
      if (epoch == 1 + Math.round(i * (epochs - 1) / (KEPT - 1.0))) {
        return true;
      }
    }
    return false;
  }

  @Override
  public void step(long step, long total, double nats) {
    next.step(step, total, nats);
  }

  @Override
  public void row(PriorMetrics.Row row) {
    next.row(row);
    if (isKept(row.epoch(), config.training().epochs())) {
      try {
        draw(row.epoch());
      } catch (IOException e) {
        throw new UncheckedIOException(e);
      }
    }
  }

  private void draw(int epoch) throws IOException {
    PriorConfig.Grid grid = config.grid();
    int columns = RunPriors.columns(grid);
    int count = ROWS * columns;
    int[] drawn =
        new CodeSampler(trainer.prior(), device, info.threads(), count)
            .sample(count, SampleOptions.of(info.seed()), RunPriors.classes(grid, count, null));
    Files.createDirectories(folder.samplesOf(epoch).getParent());
    ImageFiles.writePng(folder.samplesOf(epoch), ImageGrid.of(model.decode(drawn), columns));
  }

  @Override
  public void close() {
    model.close();
  }
}
