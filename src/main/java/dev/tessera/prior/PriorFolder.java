package dev.tessera.prior;

import dev.tessera.io.AtomicFiles;
import dev.tessera.io.Json;
import dev.tessera.io.MalformedFileException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

/**
 * The files of a prior, {@code priors/NAME} in its run's folder:
 *
 * <ul>
 *   <li>{@code config.json}: the {@link PriorConfig}
 *   <li>{@code prior.json}: the {@link PriorInfo}
 *   <li>{@code checkpoint.safetensors}: weights, optimiser and progress, to go on from
 *   <li>{@code best.safetensors}: the weights of the epoch with the lowest held-out loss, which
 *       sampling uses
 *   <li>{@code metrics.csv}: the {@link PriorMetrics}
 *   <li>{@code samples.png}, {@code samples.npy}: images drawn from it, and their codes
 *   <li>{@code epochs/N.png}: images drawn after some of the epochs, from the same random numbers
 * </ul>
 */
public record PriorFolder(Path path) {
  /** The configuration. */
  public Path config() {
    return path.resolve("config.json");
  }

  /** What the training was. */
  public Path info() {
    return path.resolve("prior.json");
  }

  /** What a resumed training goes on from. */
  public Path checkpoint() {
    return path.resolve("checkpoint.safetensors");
  }

  /** The best weights so far. */
  public Path best() {
    return path.resolve("best.safetensors");
  }

  /** The figures. */
  public Path metrics() {
    return path.resolve("metrics.csv");
  }

  /** Images drawn at the end of training. */
  public Path samples() {
    return path.resolve("samples.png");
  }

  /** Images drawn after an epoch, counted from 1. */
  public Path samplesOf(int epoch) {
    return path.resolve("epochs").resolve(epoch + ".png");
  }

  /**
   * Makes the folder of a new prior.
   *
   * @throws MalformedFileException if it holds one already
   */
  public void create(PriorConfig config, PriorInfo info) throws IOException {
    if (Files.exists(config()) || Files.exists(checkpoint())) {
      throw new MalformedFileException(
          path, "holds a prior already: go on with it by --resume, or choose another --name");
    }
    Files.createDirectories(path);
    Json.write(info(), info);
    Json.write(config(), config);
  }

  /**
   * Opens the folder of an existing prior, and removes what a crash left half-written.
   *
   * @throws MalformedFileException if it is not one
   */
  public void open() throws IOException {
    if (!Files.exists(config()) || !Files.exists(info())) {
      throw new MalformedFileException(
          path, "is not a prior: it has no config.json and prior.json; tessera prior makes one");
    }
    AtomicFiles.deleteLeftovers(path);
  }

  /** Reads the configuration. */
  public PriorConfig readConfig() throws IOException {
    return PriorConfig.read(config());
  }

  /** Reads what the training was. */
  public PriorInfo readInfo() throws IOException {
    return Json.read(info(), PriorInfo.class);
  }
}
