package dev.tessera.io;

import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.zip.CRC32;

/**
 * The chunks of a PNG file (W3C, Portable Network Graphics, third edition): checked here, since the
 * JDK's reader neither verifies checksums nor minds what follows the image. Pixels are decoded
 * elsewhere, from the critical chunks alone, so that text and profiles are never inflated.
 */
final class PngFile {
  private static final byte[] SIGNATURE = {(byte) 0x89, 'P', 'N', 'G', '\r', '\n', 0x1A, '\n'};
  private static final int CHUNK_OVERHEAD = 12;

  private PngFile() {}

  static boolean hasSignature(byte[] file) {
    return file.length >= SIGNATURE.length
        && Arrays.equals(file, 0, SIGNATURE.length, SIGNATURE, 0, SIGNATURE.length);
  }

  /**
   * Size and channels from the header chunk, which must be whole; the rest of the file may be
   * absent.
   */
  static ImageHeader header(String name, byte[] file) throws MalformedFileException {
    int headerEnd = SIGNATURE.length + CHUNK_OVERHEAD + 13;
    if (!hasSignature(file) || file.length < headerEnd) {
      throw new MalformedFileException(name, "not a PNG file, or one cut off in its header");
    }
    ByteBuffer in = ByteBuffer.wrap(file);
    int at = SIGNATURE.length;
    if (in.getInt(at) != 13 || !type(file, at).equals("IHDR")) {
      throw new MalformedFileException(name, at, "a PNG file must begin with a chunk IHDR of 13");
    }
    checkCrc(name, file, at, 13);
    int width = in.getInt(at + 8);
    int height = in.getInt(at + 12);
    int depth = file[at + 16];
    int colour = file[at + 17];
    if (width < 1 || height < 1) {
      throw new MalformedFileException(name, at + 8, "sides must be from 1 to 2147483647");
    }
    boolean known =
        switch (colour) {
          case 0, 2, 3, 4, 6 -> true;
          default -> false;
        };
    if (!known || file[at + 18] != 0 || file[at + 19] != 0 || (file[at + 20] & 0xFE) != 0) {
      throw new MalformedFileException(
          name, at + 17, "colour type, compression, filter or interlace is not one of PNG's");
    }
    if (depth != 8 && !((colour == 0 || colour == 3) && (depth == 1 || depth == 2 || depth == 4))) {
      throw new MalformedFileException(
          name, at + 16, depth + " bits a sample; 8 are readable, or fewer for grey and palette");
    }
    return new ImageHeader(height, width, colour == 0 || colour == 4 ? 1 : 3);
  }

  /** The bytes of all scanlines of a file whose header has been checked. */
  static long inflatedBytes(byte[] file, ImageHeader header) {
    int depth = file[SIGNATURE.length + 16];
    int samples =
        switch (file[SIGNATURE.length + 17]) {
          case 2 -> 3;
          case 4 -> 2;
          case 6 -> 4;
          default -> 1;
        };
    return (((long) header.width() * samples * depth + 7) / 8 + 1) * header.height();
  }

  /**
   * Verifies every chunk's length and checksum and the order of the critical ones.
   *
   * @return the same image without its ancillary chunks
   */
  static byte[] critical(String name, byte[] file) throws MalformedFileException {
    ByteArrayOutputStream kept = new ByteArrayOutputStream(file.length);
    kept.write(SIGNATURE, 0, SIGNATURE.length);
    ByteBuffer in = ByteBuffer.wrap(file);
    int at = SIGNATURE.length;
    boolean data = false;
    String previous = "";
    while (!previous.equals("IEND")) {
      if (file.length - at < CHUNK_OVERHEAD) {
        throw new MalformedFileException(name, at, "the file ends without a chunk IEND");
      }
      int length = in.getInt(at);
      if (length < 0 || length > file.length - at - CHUNK_OVERHEAD) {
        throw new MalformedFileException(
            name,
            at,
            "a chunk of "
                + Integer.toUnsignedString(length)
                + " bytes; "
                + (file.length - at - CHUNK_OVERHEAD)
                + " are left");
      }
      checkCrc(name, file, at, length);
      String type = type(file, at);
      checkOrder(name, at, type, previous, data);
      if (type.equals("tRNS")) {
        throw new MalformedFileException(name, at, "transparent; flatten the image first");
      }
      data |= type.equals("IDAT");
      if ((file[at + 4] & 0x20) == 0) {
        kept.write(file, at, length + CHUNK_OVERHEAD);
      }
      previous = type;
      at += length + CHUNK_OVERHEAD;
    }
    if (at != file.length) {
      throw new MalformedFileException(name, at, (file.length - at) + " bytes after the image");
    }
    return kept.toByteArray();
  }

  private static void checkOrder(String name, int at, String type, String previous, boolean data)
      throws MalformedFileException {
    boolean right =
        switch (type) {
          case "IHDR" -> previous.isEmpty();
          case "PLTE" -> !data;
          case "IDAT" -> !data || previous.equals("IDAT");
          case "IEND" -> data;
          default -> Character.isLowerCase(type.charAt(0));
        };
    if (!right || (previous.isEmpty() && !type.equals("IHDR"))) {
      throw new MalformedFileException(name, at, "a chunk " + type + " has no place here");
    }
  }

  private static void checkCrc(String name, byte[] file, int at, int length)
      throws MalformedFileException {
    for (int i = 0; i < 4; i++) {
      int letter = file[at + 4 + i] | 0x20;
      if (letter < 'a' || letter > 'z') {
        throw new MalformedFileException(name, at + 4, "a chunk's type must be four letters");
      }
    }
    CRC32 crc = new CRC32();
    crc.update(file, at + 4, length + 4);
    int stored = ByteBuffer.wrap(file).getInt(at + 8 + length);
    if ((int) crc.getValue() != stored) {
      throw new MalformedFileException(
          name,
          at,
          String.format(
              "chunk %s has checksum %08x and says %08x", type(file, at), crc.getValue(), stored));
    }
  }

  private static String type(byte[] file, int at) {
    return new String(file, at + 4, 4, StandardCharsets.ISO_8859_1);
  }
}
