package dev.tessera.io;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;

/**
 * numpy's {@code .npy} files, versions 1.0 and 2.0, as numpy.lib.format specifies them:
 * little-endian {@code f4 f8 i4 i8 i2 u2} and {@code u1} in C order, of any rank.
 */
public final class Npy {
  private static final byte[] MAGIC = {(byte) 0x93, 'N', 'U', 'M', 'P', 'Y'};
  private static final int MAX_HEADER = 1 << 16;
  private static final int ALIGNMENT = 64;

  private Npy() {}

  /**
   * Reads a file. The elements are allocated from {@code arena}, aligned to 64 bytes, once the
   * file's size has been found to be exactly what its header says.
   *
   * @throws MalformedFileException if it is not such a file, or shorter or longer than its header
   *     says
   */
  public static HostArray read(Path file, Arena arena) throws IOException {
    try (FileChannel channel = FileChannel.open(file, StandardOpenOption.READ)) {
      long size = channel.size();
      int lengthBytes = versionAt(file, channel, size) == 1 ? 2 : 4;
      int start = MAGIC.length + 2 + lengthBytes;
      int length = headerLength(file, channel, size, lengthBytes);
      byte[] header = new byte[length];
      FileReads.read(file, channel, start, MemorySegment.ofArray(header));
      NpyHeader.Description found = NpyHeader.parse(file.toString(), start, header);
      long dataAt = (long) start + length;
      if (size - dataAt != found.bytes) {
        throw new MalformedFileException(
            file,
            dataAt,
            (size - dataAt)
                + " bytes of data; "
                + found.type.numpy()
                + " "
                + HostArray.shapeText(found.shape)
                + " takes "
                + found.bytes);
      }
      MemorySegment data = arena.allocate(found.bytes, ALIGNMENT);
      FileReads.read(file, channel, dataAt, data);
      return new HostArray(found.type, found.shape, data);
    }
  }

  /** Writes a file, atomically, with the bytes that {@code numpy.save} would write. */
  public static void write(Path file, HostArray array) throws IOException {
    byte[] header = header(array);
    AtomicFiles.write(
        file,
        channel -> {
          AtomicFiles.writeFully(channel, ByteBuffer.wrap(header));
          FileReads.write(channel, array.data());
        });
  }

  /**
   * Magic, version 1.0, length and dictionary, padded so that the data begin at a multiple of 64.
   */
  private static byte[] header(HostArray array) {
    byte[] dictionary = NpyHeader.format(array).getBytes(StandardCharsets.ISO_8859_1);
    int preamble = MAGIC.length + 4;
    int total = ((preamble + dictionary.length + 1) / ALIGNMENT + 1) * ALIGNMENT;
    ByteBuffer header = ByteBuffer.allocate(total).order(ByteOrder.LITTLE_ENDIAN);
    header.put(MAGIC).put((byte) 1).put((byte) 0).putShort((short) (total - preamble));
    header.put(dictionary);
    while (header.remaining() > 1) {
      header.put((byte) ' ');
    }
    return header.put((byte) '\n').array();
  }

  private static int versionAt(Path file, FileChannel channel, long size) throws IOException {
    if (size < MAGIC.length + 4) {
      throw new MalformedFileException(
          file, size + " bytes; a .npy file has at least " + (MAGIC.length + 4));
    }
    byte[] preamble = new byte[MAGIC.length + 2];
    FileReads.read(file, channel, 0, MemorySegment.ofArray(preamble));
    for (int i = 0; i < MAGIC.length; i++) {
      if (preamble[i] != MAGIC[i]) {
        throw new MalformedFileException(file, i, "not a .npy file, which begins with \\x93NUMPY");
      }
    }
    int major = preamble[MAGIC.length];
    int minor = preamble[MAGIC.length + 1];
    if ((major != 1 && major != 2) || minor != 0) {
      throw new MalformedFileException(
          file,
          MAGIC.length,
          ".npy version " + (major & 0xFF) + "." + (minor & 0xFF) + "; 1.0 and 2.0 are readable");
    }
    return major;
  }

  private static int headerLength(Path file, FileChannel channel, long size, int lengthBytes)
      throws IOException {
    int at = MAGIC.length + 2;
    if (size < at + lengthBytes) {
      throw new MalformedFileException(file, at, "the file ends in the header's length");
    }
    byte[] bytes = new byte[4];
    FileReads.read(file, channel, at, MemorySegment.ofArray(bytes).asSlice(0, lengthBytes));
    long length =
        Integer.toUnsignedLong(
            MemorySegment.ofArray(bytes)
                .get(ValueLayout.JAVA_INT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN), 0));
    long available = size - at - lengthBytes;
    if (length > Math.min(MAX_HEADER, available)) {
      throw new MalformedFileException(
          file,
          at,
          "a header of "
              + length
              + " bytes; the file has room for "
              + available
              + ", and the limit is "
              + MAX_HEADER);
    }
    return (int) length;
  }
}
