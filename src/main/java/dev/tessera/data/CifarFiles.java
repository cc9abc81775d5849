package dev.tessera.data;

import dev.tessera.io.ImageFiles;
import dev.tessera.io.Json;
import dev.tessera.io.MalformedFileException;
import dev.tessera.io.PixelImage;
import java.io.IOException;
import java.io.InputStream;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * CIFAR-10 in its two shapes: the original binary batches, of records with a label and the planes
 * red, green and blue of 32x32, and PNG sheets with an image a row, 1024x10000 RGB, whose labels
 * are a JSON list for all sheets of a part.
 */
final class CifarFiles {
  /** Images a file. */
  static final int BATCH = 10_000;

  private static final int SIDE = 32;
  private static final int PLANE = SIDE * SIDE;
  private static final int IMAGE = 3 * PLANE;
  private static final int CLASSES = 10;

  private CifarFiles() {}

  /** Reads binary batches, one after the other. */
  static ImageDataset readBinary(String name, List<Path> files) throws IOException {
    for (Path file : files) {
      long size = Files.size(file);
      if (size != (long) BATCH * (IMAGE + 1)) {
        throw new MalformedFileException(
            file, size + " bytes; a CIFAR-10 batch has " + BATCH * (IMAGE + 1));
      }
    }
    MemorySegment pixels = allocate(files);
    byte[] labels = new byte[files.size() * BATCH];
    byte[] image = new byte[IMAGE];
    for (int f = 0; f < files.size(); f++) {
      try (InputStream in = Files.newInputStream(files.get(f))) {
        for (int i = 0; i < BATCH; i++) {
          byte[] planes = in.readNBytes(IMAGE + 1);
          long offset = (long) i * (IMAGE + 1);
          if (planes.length <= IMAGE) {
            throw new MalformedFileException(files.get(f), offset + planes.length, "the file ends");
          }
          labels[f * BATCH + i] = label(files.get(f).toString(), offset, planes[0]);
          interleave(planes, image);
          long to = ((long) f * BATCH + i) * IMAGE;
          MemorySegment.copy(image, 0, pixels, ValueLayout.JAVA_BYTE, to, IMAGE);
        }
      }
    }
    return ImageDataset.of(name, SIDE, SIDE, 3, pixels, labels);
  }

  /** Reads PNG sheets, one after the other, and their labels if {@code labelFile} is not null. */
  static ImageDataset readSheets(String name, List<Path> sheets, @Nullable Path labelFile)
      throws IOException {
    byte[] labels = labelFile == null ? null : readLabels(labelFile, sheets.size() * BATCH);
    MemorySegment pixels = allocate(sheets);
    for (int f = 0; f < sheets.size(); f++) {
      PixelImage sheet = ImageFiles.read(sheets.get(f), (long) PLANE * BATCH);
      if (sheet.width() != PLANE || sheet.height() != BATCH || sheet.channels() != 3) {
        throw new MalformedFileException(
            sheets.get(f),
            sheet.width() + "x" + sheet.height() + "; a sheet is RGB, " + PLANE + "x" + BATCH);
      }
      long to = (long) f * BATCH * IMAGE;
      MemorySegment.copy(
          sheet.pixels(), 0, pixels, ValueLayout.JAVA_BYTE, to, sheet.pixels().length);
    }
    return ImageDataset.of(name, SIDE, SIDE, 3, pixels, labels);
  }

  private static MemorySegment allocate(List<Path> files) throws MalformedFileException {
    return PixelMemory.allocate(files.getFirst().toString(), (long) files.size() * BATCH * IMAGE);
  }

  /** From a record [1 + 3 planes] to [32, 32, 3]. */
  private static void interleave(byte[] planes, byte[] image) {
    for (int p = 0; p < PLANE; p++) {
      for (int c = 0; c < 3; c++) {
        image[3 * p + c] = planes[1 + c * PLANE + p];
      }
    }
  }

  private static byte[] readLabels(Path file, int count) throws IOException {
    int[] values = Json.read(file, int[].class);
    if (values.length != count) {
      throw new MalformedFileException(file, values.length + " labels; there should be " + count);
    }
    byte[] labels = new byte[count];
    for (int i = 0; i < count; i++) {
      if (values[i] < 0 || values[i] >= CLASSES) {
        throw new MalformedFileException(
            file, "label " + values[i] + " of image " + i + "; labels are 0 to 9");
      }
      labels[i] = (byte) values[i];
    }
    return labels;
  }

  private static byte label(String file, long offset, byte label) throws MalformedFileException {
    if (label < 0 || label >= CLASSES) {
      throw new MalformedFileException(
          file, offset, "label " + Byte.toUnsignedInt(label) + "; labels are 0 to 9");
    }
    return label;
  }
}
