package dev.tessera.cli;

import dev.tessera.prior.PriorMetrics;
import dev.tessera.prior.PriorTrainer;
import java.io.Console;
import java.io.PrintWriter;
import java.util.Locale;
import java.util.Optional;
import me.tongfei.progressbar.ProgressBar;
import me.tongfei.progressbar.ProgressBarBuilder;
import me.tongfei.progressbar.ProgressBarStyle;
import org.jspecify.annotations.Nullable;

/** Shows how a prior's training goes: a bar on a terminal, and a line an epoch. */
final class PriorDisplay implements PriorTrainer.Listener, AutoCloseable {
  private final PrintWriter text;
  private final @Nullable ProgressBar bar;
  private final long startNanos = System.nanoTime();
  private final long startStep;

  PriorDisplay(PrintWriter text, String name, long startStep, long total) {
    this.text = text;
    this.startStep = startStep;
    boolean terminal = Optional.ofNullable(System.console()).map(Console::isTerminal).orElse(false);
    this.bar =
        terminal && total > startStep
            ? new ProgressBarBuilder()
                .setTaskName(name)
                .setInitialMax(total)
                .startsFrom(startStep, java.time.Duration.ZERO)
                .setStyle(ProgressBarStyle.UNICODE_BLOCK)
                .setUpdateIntervalMillis(250)
                .hideEta()
                .build()
            : null;
  }

  @Override
  public void step(long step, long total, double nats) {
    if (bar == null) {
      return;
    }
    bar.stepTo(step);
    double rate = (step - startStep) * 1e9 / (System.nanoTime() - startNanos);
    long left = Math.round((total - step) / rate);
    bar.setExtraMessage(
        String.format(Locale.ROOT, "%.4f nats a code  %d:%02d left", nats, left / 60, left % 60));
  }

  @Override
  public void row(PriorMetrics.Row row) {
    if (bar != null) {
      return;
    }
    text.printf(
        Locale.ROOT,
        "epoch %d  %.4f nats a code  held-out %.4f, %.2f bits an image, %.4f bits/dim  %,.0f"
            + " images/s%n",
        row.epoch(),
        row.nats(),
        row.heldOutNats(),
        row.heldOutBits(),
        row.heldOutBitsPerDim(),
        row.imagesPerSecond());
    text.flush();
  }

  @Override
  public void close() {
    if (bar != null) {
      bar.close();
    }
  }
}
