package dev.tessera.data;

import dev.tessera.io.ImageFiles;
import dev.tessera.io.ImageHeader;
import dev.tessera.io.MalformedFileException;
import dev.tessera.io.PixelImage;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Comparator;
import java.util.List;
import java.util.stream.Stream;

/**
 * A folder of PNG and JPEG files, subfolders included, in the order of their relative names. All
 * must have one size; grey ones become RGB if any is.
 */
final class ImageFolder {
  private ImageFolder() {}

  /** The image files under {@code folder}, hidden ones left out, sorted by relative name. */
  static List<Path> list(Path folder) throws IOException {
    try (Stream<Path> files = Files.walk(folder)) {
      return files
          .filter(f -> ImageFiles.hasImageName(f) && !isHidden(folder.relativize(f)))
          .filter(Files::isRegularFile)
          .sorted(Comparator.comparing(f -> relativeName(folder, f)))
          .toList();
    } catch (UncheckedIOException e) {
      throw e.getCause();
    }
  }

  /**
   * Reads {@code files}, of which there must be one at least: first all headers, then, into memory
   * of the right size, all pixels.
   */
  static ImageDataset read(String name, List<Path> files) throws IOException {
    ImageHeader first = ImageFiles.readHeader(files.getFirst());
    int channels = first.channels();
    for (Path file : files) {
      ImageHeader header = ImageFiles.readHeader(file);
      if (header.height() != first.height() || header.width() != first.width()) {
        throw new MalformedFileException(
            file,
            header
                + ", and "
                + files.getFirst()
                + " is "
                + first
                + "; images must all have one size: crop or resize them first");
      }
      channels = Math.max(channels, header.channels());
    }
    return readPixels(name, files, first, channels);
  }

  private static ImageDataset readPixels(
      String name, List<Path> files, ImageHeader size, int channels) throws IOException {
    long imageBytes = (long) size.height() * size.width() * channels;
    if (imageBytes > ImageFiles.MAX_PIXELS * channels) {
      throw new MalformedFileException(files.getFirst(), size + " is too large an image");
    }
    MemorySegment pixels = PixelMemory.allocate(name, imageBytes * files.size());
    for (int i = 0; i < files.size(); i++) {
      PixelImage image = ImageFiles.read(files.get(i));
      image = channels == 3 ? image.toRgb() : image;
      if (image.pixels().length != imageBytes || image.width() != size.width()) {
        throw new MalformedFileException(files.get(i), "changed while it was read");
      }
      MemorySegment.copy(
          image.pixels(), 0, pixels, ValueLayout.JAVA_BYTE, i * imageBytes, (int) imageBytes);
    }
    return ImageDataset.of(name, size.height(), size.width(), channels, pixels, null);
  }

  private static boolean isHidden(Path relative) {
    for (Path part : relative) {
      if (part.toString().startsWith(".")) {
        return true;
      }
    }
    return false;
  }

  private static String relativeName(Path folder, Path file) {
    return folder.relativize(file).toString().replace('\\', '/');
  }
}
