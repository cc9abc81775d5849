package dev.tessera.cli;

import dev.tessera.data.DatasetSplit;
import dev.tessera.device.Device;
import dev.tessera.io.FileHash;
import dev.tessera.model.VqVaeConfig;
import dev.tessera.prior.CodeFile;
import dev.tessera.prior.PriorConfig;
import dev.tessera.train.RunFolder;
import dev.tessera.train.RunInfo;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Optional;

/**
 * The codes of a run's images, encoded once and kept in {@code codes.safetensors} of its folder.
 *
 * @param source hashes of the model and of the images that they are of
 * @param split training and held-out codes
 * @param encoded whether they were made now, and not read
 */
record RunCodes(String source, CodeFile.Split split, boolean encoded) {

  /** Grids of codes of a run, with this number of classes. */
  static PriorConfig.Grid grid(VqVaeConfig config, int classes) {
    return new PriorConfig.Grid(
        config.gridHeight(), config.gridWidth(), config.quantizer().codes(), classes);
  }

  /** What codes of this run are made from, as its files are now. */
  static String source(RunFolder folder, RunInfo info) throws IOException {
    return "model " + FileHash.sha256(folder.model()) + " images " + info.data().fingerprint();
  }

  static RunCodes open(RunFolder folder, Device device, int threads) throws IOException {
    VqVaeConfig config = folder.readConfig();
    RunInfo info = folder.readInfo();
    PriorConfig.Grid grid = grid(config, 0);
    Path file = folder.path().resolve("codes.safetensors");
    String source = source(folder, info);
    Optional<CodeFile.Split> kept = CodeFile.read(file, source, grid);
    if (kept.isPresent()) {
      return new RunCodes(source, kept.get(), false);
    }
    DatasetSplit images = RunData.open(folder, info);
    try (RunModel model = new RunModel(folder, device, threads)) {
      CodeFile.Split split =
          new CodeFile.Split(model.encode(images.train()), model.encode(images.heldOut()));
      CodeFile.write(file, source, grid, split);
      return new RunCodes(source, split, true);
    }
  }
}
