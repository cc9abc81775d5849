package dev.tessera.data;

import dev.tessera.io.MalformedFileException;
import java.io.ByteArrayInputStream;
import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.zip.GZIPInputStream;
import java.util.zip.ZipException;

/**
 * MNIST's IDX files of unsigned bytes: a magic number that holds the number of dimensions, each
 * dimension as a big-endian int, and the bytes. Plain or gzipped, by name.
 *
 * <p>A gzipped file is inflated twice: once to see that it holds what its header says, without
 * keeping anything, and again into memory of that size.
 */
final class IdxFile {
  private static final int UNSIGNED_BYTES = 0x0800;
  private static final int BUFFER = 1 << 16;
  private static final long MAX_BYTES = 1L << 34;

  private final String name;
  private final boolean gzipped;
  private final long storedBytes;
  private final Opener opener;

  private IdxFile(String name, long storedBytes, Opener opener) {
    this.name = name;
    this.gzipped = name.endsWith(".gz");
    this.storedBytes = storedBytes;
    this.opener = opener;
  }

  /** Opens the stored bytes, from the beginning each time. */
  @FunctionalInterface
  private interface Opener {
    InputStream open() throws IOException;
  }

  /** Content of a file: dimensions and their product's bytes. */
  static final class Content {
    final int[] dimensions;
    final MemorySegment bytes;

    Content(int[] dimensions, MemorySegment bytes) {
      this.dimensions = dimensions;
      this.bytes = bytes;
    }
  }

  static IdxFile of(Path file) throws IOException {
    return new IdxFile(file.toString(), Files.size(file), () -> Files.newInputStream(file));
  }

  /** A file that is in memory already, under {@code name}. */
  static IdxFile of(String name, byte[] bytes) {
    return new IdxFile(name, bytes.length, () -> new ByteArrayInputStream(bytes));
  }

  String name() {
    return name;
  }

  /** Reads images: dimensions count, height, width. */
  Content readImages() throws IOException {
    return read(3);
  }

  /** Reads as many labels as there are images. */
  byte[] readLabels(int images) throws IOException {
    Content content = read(1);
    if (content.dimensions[0] != images) {
      throw new MalformedFileException(
          name, 4, content.dimensions[0] + " labels for " + images + " images");
    }
    return content.bytes.toArray(ValueLayout.JAVA_BYTE);
  }

  private Content read(int rank) throws IOException {
    try {
      int[] dimensions = readDimensions(rank);
      long length = 1;
      for (int dimension : dimensions) {
        length = Math.multiplyExact(length, (long) dimension);
      }
      int headerBytes = 4 + 4 * rank;
      checkLength(headerBytes, length, dimensions);
      MemorySegment bytes = PixelMemory.allocate(name, length);
      try (InputStream in = open()) {
        in.skipNBytes(headerBytes);
        fill(in, bytes, headerBytes);
      }
      return new Content(dimensions, bytes);
    } catch (ZipException e) {
      throw new MalformedFileException(name, "damaged gzip data: " + e.getMessage(), e);
    } catch (EOFException e) {
      throw new MalformedFileException(name, "ends too early", e);
    } catch (ArithmeticException e) {
      throw new MalformedFileException(name, 4, "dimensions with a product beyond 2^63");
    }
  }

  private int[] readDimensions(int rank) throws IOException {
    byte[] header = new byte[4 + 4 * rank];
    try (InputStream in = open()) {
      int read = in.readNBytes(header, 0, header.length);
      if (read < header.length) {
        throw new MalformedFileException(
            name, read, "the file ends in its header of " + header.length + " bytes");
      }
    }
    ByteBuffer in = ByteBuffer.wrap(header);
    int magic = in.getInt();
    if (magic != (UNSIGNED_BYTES | rank)) {
      throw new MalformedFileException(
          name,
          0,
          String.format(
              "magic number %08x; an IDX file of bytes with %d dimensions has %08x",
              magic, rank, UNSIGNED_BYTES | rank));
    }
    int[] dimensions = new int[rank];
    for (int i = 0; i < rank; i++) {
      dimensions[i] = in.getInt();
      if (dimensions[i] < 1) {
        throw new MalformedFileException(
            name,
            4 + 4L * i,
            "dimension "
                + Integer.toUnsignedString(dimensions[i])
                + " must be from 1 to 2147483647");
      }
    }
    return dimensions;
  }

  private void checkLength(int headerBytes, long length, int[] dimensions) throws IOException {
    long found = gzipped ? inflatedLength(headerBytes + length) : storedBytes;
    if (length > MAX_BYTES || found != headerBytes + length) {
      throw new MalformedFileException(
          name,
          (gzipped ? "inflates to " : "")
              + found
              + (gzipped && found > headerBytes + length ? " bytes or more" : " bytes")
              + "; its dimensions "
              + Arrays.toString(dimensions)
              + " take "
              + (headerBytes + length));
    }
  }

  /** Inflates and forgets; stops soon after {@code expected} bytes. Checks gzip's checksum. */
  private long inflatedLength(long expected) throws IOException {
    byte[] buffer = new byte[BUFFER];
    long total = 0;
    try (InputStream in = open()) {
      for (int read = 0; read >= 0 && total <= Math.min(expected, MAX_BYTES); total += read) {
        read = in.read(buffer);
        if (read < 0) {
          break;
        }
      }
    }
    return total;
  }

  private void fill(InputStream in, MemorySegment bytes, int headerBytes) throws IOException {
    byte[] buffer = new byte[BUFFER];
    for (long done = 0; done < bytes.byteSize(); ) {
      int wanted = (int) Math.min(BUFFER, bytes.byteSize() - done);
      int read = in.readNBytes(buffer, 0, wanted);
      MemorySegment.copy(buffer, 0, bytes, ValueLayout.JAVA_BYTE, done, read);
      if (read < wanted) {
        throw new MalformedFileException(name, headerBytes + done + read, "the file ends");
      }
      done += read;
    }
  }

  private InputStream open() throws IOException {
    InputStream in = opener.open();
    if (!gzipped) {
      return in;
    }
    try {
      return new GZIPInputStream(in, BUFFER);
    } catch (IOException e) {
      in.close();
      throw e;
    }
  }
}
