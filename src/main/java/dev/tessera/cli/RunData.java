package dev.tessera.cli;

import dev.tessera.data.DatasetSplit;
import dev.tessera.data.Datasets;
import dev.tessera.io.MalformedFileException;
import dev.tessera.train.RunFolder;
import dev.tessera.train.RunInfo;
import dev.tessera.train.RunInfo.DataInfo;
import java.io.IOException;
import java.nio.file.Path;

/** The images that a run was trained on, found again. */
final class RunData {
  private RunData() {}

  /**
   * Opens the run's data where it was.
   *
   * @throws MalformedFileException if the training images there are others
   */
  static DatasetSplit open(RunFolder folder, RunInfo info) throws IOException {
    DataInfo data = info.data();
    DatasetSplit images =
        data.source().equals(DataInfo.EMBEDDED)
            ? Datasets.embeddedDigits()
            : Datasets.open(Path.of(data.source()));
    if (!images.train().fingerprint().equals(data.fingerprint())) {
      throw new MalformedFileException(
          folder.info(),
          "the run was trained on other images than those that are now in " + data.source());
    }
    return images;
  }
}
