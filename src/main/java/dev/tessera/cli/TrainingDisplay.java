package dev.tessera.cli;

import dev.tessera.data.DatasetSplit;
import dev.tessera.model.VqVaeConfig;
import dev.tessera.train.Evaluation;
import dev.tessera.train.MetricsLog;
import dev.tessera.train.RunFolder;
import dev.tessera.train.Trainer;
import java.io.Console;
import java.io.PrintWriter;
import java.util.Locale;
import java.util.Optional;
import me.tongfei.progressbar.ProgressBar;
import me.tongfei.progressbar.ProgressBarBuilder;
import me.tongfei.progressbar.ProgressBarStyle;
import org.jspecify.annotations.Nullable;

/**
 * What a run shows while it trains: a progress bar on a terminal, and a line a row of metrics in a
 * pipe.
 */
final class TrainingDisplay implements Trainer.Listener, AutoCloseable {
  private final PrintWriter text;
  private final @Nullable ProgressBar bar;
  private final int batch;
  private final long startNanos = System.nanoTime();
  private final long startStep;

  private TrainingDisplay(PrintWriter text, @Nullable ProgressBar bar, int batch, long startStep) {
    this.text = text;
    this.bar = bar;
    this.batch = batch;
    this.startStep = startStep;
  }

  static TrainingDisplay open(
      VqVaeConfig config,
      DatasetSplit images,
      RunFolder folder,
      long startStep,
      long total,
      OutputOptions output) {
    PrintWriter text = output.json() ? output.err() : output.out();
    text.printf(
        "%s on %s (%,d images, %,d held out), %,d steps of %d, into %s%n",
        config.name(),
        images.name(),
        images.train().count(),
        images.heldOut().count(),
        total,
        config.training().batch(),
        folder.path());
    boolean terminal = Optional.ofNullable(System.console()).map(Console::isTerminal).orElse(false);
    ProgressBar bar =
        terminal && total > startStep
            ? new ProgressBarBuilder()
                .setTaskName(config.name())
                .setInitialMax(total)
                .startsFrom(startStep, java.time.Duration.ZERO)
                .setStyle(ProgressBarStyle.UNICODE_BLOCK)
                .setUpdateIntervalMillis(250)
                .hideEta()
                .build()
            : null;
    return new TrainingDisplay(text, bar, config.training().batch(), startStep);
  }

  @Override
  public void step(long step, long total, double loss, double perplexity) {
    if (bar == null) {
      return;
    }
    bar.stepTo(step);
    double seconds = (System.nanoTime() - startNanos) / 1e9;
    double rate = (step - startStep) / seconds;
    bar.setExtraMessage(
        String.format(
            Locale.ROOT,
            "loss %.4f  perplexity %.1f  %,.0f images/s  %s left",
            loss,
            perplexity,
            rate * batch,
            duration((total - step) / rate)));
  }

  @Override
  public void row(MetricsLog.Row row) {
    if (bar != null) {
      return;
    }
    Evaluation.Result h = row.heldOut();
    text.printf(
        Locale.ROOT,
        "step %,d  loss %.4f  recon %.4f  vq %.4f  perplexity %.1f  usage %.0f %%%s  %,.0f"
            + " images/s%n",
        row.step(),
        row.loss(),
        row.recon(),
        row.vq(),
        row.perplexity(),
        100 * row.usage(),
        h == null ? "" : String.format(Locale.ROOT, "  held-out nmse %.4f", h.nmse()),
        row.imagesPerSecond());
    text.flush();
  }

  @Override
  public void close() {
    if (bar != null) {
      bar.close();
    }
  }

  private static String duration(double seconds) {
    long s = Math.round(seconds);
    return s < 3600
        ? String.format(Locale.ROOT, "%d:%02d", s / 60, s % 60)
        : String.format(Locale.ROOT, "%d:%02d:%02d", s / 3600, s / 60 % 60, s % 60);
  }
}
