package dev.tessera.judge;

import dev.tessera.io.AtomicFiles;
import dev.tessera.io.Json;
import dev.tessera.io.MalformedFileException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

/**
 * The files of a classifier:
 *
 * <ul>
 *   <li>{@code config.json}: the {@link ClassifierConfig}; {@code tessera train-classifier
 *       config.json} repeats it
 *   <li>{@code classifier.json}: the {@link ClassifierInfo}, written last
 *   <li>{@code trained_on.npy}: a hash of each image that was trained on
 *   <li>{@code model.safetensors}: the weights
 * </ul>
 */
public record ClassifierFolder(Path path) {
  /** The configuration. */
  public Path config() {
    return path.resolve("config.json");
  }

  /** What the training was. */
  public Path info() {
    return path.resolve("classifier.json");
  }

  /** Hashes of the images trained on. */
  public Path trainedOn() {
    return path.resolve("trained_on.npy");
  }

  /** The weights. */
  public Path model() {
    return path.resolve("model.safetensors");
  }

  /**
   * Makes the folder of a new classifier.
   *
   * @throws MalformedFileException if it holds one, or a run, already
   */
  public void create() throws IOException {
    for (Path file : new Path[] {config(), info(), model()}) {
      if (Files.exists(file)) {
        throw new MalformedFileException(
            path, "holds " + file.getFileName() + " already: choose another --out");
      }
    }
    Files.createDirectories(path);
  }

  /**
   * Opens the folder of a trained classifier.
   *
   * @throws MalformedFileException if it is not one
   */
  public void open() throws IOException {
    if (!Files.exists(config()) || !Files.exists(info())) {
      throw new MalformedFileException(
          path,
          "is not a trained classifier: it has no config.json and classifier.json; tessera"
              + " train-classifier makes one");
    }
    AtomicFiles.deleteLeftovers(path);
  }

  /** Reads the configuration. */
  public ClassifierConfig readConfig() throws IOException {
    return Json.read(config(), ClassifierConfig.class);
  }

  /** Reads what the training was. */
  public ClassifierInfo readInfo() throws IOException {
    return Json.read(info(), ClassifierInfo.class);
  }
}
