package dev.tessera.cli;

import dev.tessera.io.ImageFiles;
import dev.tessera.io.MalformedFileException;
import dev.tessera.io.PixelImage;
import dev.tessera.model.VqVaeConfig;
import java.io.IOException;
import java.nio.file.Path;

/** Image files for a run. */
final class RunImages {
  private RunImages() {}

  /**
   * Reads a PNG or JPEG file.
   *
   * @throws MalformedFileException if it has not the size that the run is for
   */
  static PixelImage read(Path file, VqVaeConfig.ImageConfig want) throws IOException {
    PixelImage image = ImageFiles.read(file);
    if (want.channels() == 3) {
      image = image.toRgb();
    }
    if (image.height() != want.height()
        || image.width() != want.width()
        || image.channels() != want.channels()) {
      throw new MalformedFileException(
          file,
          "is "
              + image.height()
              + "x"
              + image.width()
              + "x"
              + image.channels()
              + ", and the run is for images of "
              + want.height()
              + "x"
              + want.width()
              + "x"
              + want.channels());
    }
    return image;
  }
}
