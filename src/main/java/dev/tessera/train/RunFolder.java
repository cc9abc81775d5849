package dev.tessera.train;

import dev.tessera.io.AtomicFiles;
import dev.tessera.io.Json;
import dev.tessera.io.MalformedFileException;
import dev.tessera.model.VqVaeConfig;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

/**
 * The files of a run. Each is written to a temporary name, synced and renamed, so a crash leaves
 * the old file or the new one.
 *
 * <ul>
 *   <li>{@code config.json}: the {@link VqVaeConfig}; {@code tessera train config.json} repeats it
 *   <li>{@code run.json}: the {@link RunInfo}
 *   <li>{@code trained_on.npy}: a hash of each image that was trained on
 *   <li>{@code model.safetensors}: the {@link Checkpoint}
 *   <li>{@code metrics.csv}: the {@link MetricsLog}
 *   <li>{@code originals.png}, {@code reconstructions.png}: held-out images
 *   <li>{@code report.html}: all of it on one page
 * </ul>
 */
public record RunFolder(Path path) {
  /** The configuration. */
  public Path config() {
    return path.resolve("config.json");
  }

  /** What the run was. */
  public Path info() {
    return path.resolve("run.json");
  }

  /** Hashes of the images trained on. */
  public Path trainedOn() {
    return path.resolve("trained_on.npy");
  }

  /** The checkpoint. */
  public Path model() {
    return path.resolve("model.safetensors");
  }

  /** The figures. */
  public Path metrics() {
    return path.resolve("metrics.csv");
  }

  /** Held-out images. */
  public Path originals() {
    return path.resolve("originals.png");
  }

  /** The same, reconstructed. */
  public Path reconstructions() {
    return path.resolve("reconstructions.png");
  }

  /** The report. */
  public Path report() {
    return path.resolve("report.html");
  }

  /**
   * Makes the folder of a new run with its configuration.
   *
   * @throws MalformedFileException if it holds a run already
   */
  public void create(VqVaeConfig config, RunInfo run) throws IOException {
    if (Files.exists(config()) || Files.exists(model())) {
      throw new MalformedFileException(
          path, "holds a run already: choose another --out, or go on with it by --resume " + path);
    }
    Files.createDirectories(path);
    Json.write(info(), run);
    Json.write(config(), config);
  }

  /**
   * Opens the folder of an existing run, and removes what a crash left half-written.
   *
   * @throws MalformedFileException if it is not one
   */
  public void open() throws IOException {
    if (!Files.isDirectory(path)) {
      throw new MalformedFileException(
          path, "is not a folder; a run folder is made by tessera train");
    }
    if (!Files.exists(config()) || !Files.exists(info())) {
      throw new MalformedFileException(
          path, "is not a run folder: it has no config.json and run.json");
    }
    AtomicFiles.deleteLeftovers(path);
  }

  /** Reads the configuration. */
  public VqVaeConfig readConfig() throws IOException {
    return Json.read(config(), VqVaeConfig.class);
  }

  /** Reads what the run was. */
  public RunInfo readInfo() throws IOException {
    return Json.read(info(), RunInfo.class);
  }
}
