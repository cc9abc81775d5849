package dev.tessera.cli;

import dev.tessera.prior.SampleOptions;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;

/** From which prior images are drawn and how, which every command that draws takes. */
final class SamplingOptions {
  @Option(
      names = "--prior",
      paramLabel = "NAME",
      description = "Which of the run's priors. Default: the only one.")
  private @Nullable String prior;

  @Option(
      names = "--temperature",
      paramLabel = "T",
      description = "1 samples the prior, less is safer, 0 takes the most likely code. Default: 1.")
  private double temperature = 1;

  @Option(
      names = "--top-k",
      paramLabel = "K",
      description = "Draw among the K most likely codes. Default: all.")
  private @Nullable Long topK;

  @Option(
      names = "--top-p",
      paramLabel = "P",
      description = "Draw among the fewest codes whose share reaches P. Default: 1, all.")
  private double topP = 1;

  @Option(names = "--seed", paramLabel = "N", description = "Of the draws. Default: 1.")
  private long seed = 1;

  @Option(
      names = "--batch",
      paramLabel = "N",
      description =
          "Images that a thread draws side by side; changes nothing but the speed. Default: 64.")
  private int batch = 64;

  /** The prior's name; null for the run's only one. */
  @Nullable String prior() {
    return prior;
  }

  long seed() {
    return seed;
  }

  int batch() {
    return batch;
  }

  /**
   * How codes are drawn.
   *
   * @throws IllegalArgumentException if an option is out of range
   */
  SampleOptions draws() {
    return new SampleOptions(seed, temperature, topK == null ? Long.MAX_VALUE : topK, topP);
  }

  /** The same for the figures. */
  JudgedFigures.Draws figures() {
    return new JudgedFigures.Draws(seed, temperature, topK, topP);
  }
}
