package dev.tessera.io;

import java.io.ByteArrayOutputStream;

/**
 * The segments of a JPEG file (ITU T.81) up to its first scan: size and channels, and the same file
 * without the application segments (profiles, thumbnails, EXIF), which decoding does not need.
 */
final class JpegFile {
  private static final int SOI = 0xD8;
  private static final int EOI = 0xD9;
  private static final int SOS = 0xDA;
  private static final int APP0 = 0xE0;
  private static final int APP14_ADOBE = 0xEE;
  private static final int APP15 = 0xEF;
  private static final int COMMENT = 0xFE;

  private final String name;
  private final byte[] file;
  private final ByteArrayOutputStream kept;
  private ImageHeader header = new ImageHeader(0, 0, 0);

  private JpegFile(String name, byte[] file) {
    this.name = name;
    this.file = file;
    this.kept = new ByteArrayOutputStream(file.length);
  }

  static boolean hasSignature(byte[] file) {
    return file.length >= 3
        && (file[0] & 0xFF) == 0xFF
        && (file[1] & 0xFF) == SOI
        && (file[2] & 0xFF) == 0xFF;
  }

  /** Size and channels; {@code file} may be cut off after the frame header. */
  static ImageHeader header(String name, byte[] file) throws MalformedFileException {
    JpegFile jpeg = new JpegFile(name, file);
    jpeg.walk(true);
    return jpeg.header;
  }

  /** The image without application segments and comments that do not matter for its colours. */
  static byte[] essential(String name, byte[] file) throws MalformedFileException {
    JpegFile jpeg = new JpegFile(name, file);
    jpeg.walk(false);
    return jpeg.kept.toByteArray();
  }

  private void walk(boolean headerOnly) throws MalformedFileException {
    if (!hasSignature(file)) {
      throw new MalformedFileException(name, "not a JPEG file");
    }
    kept.write(file, 0, 2);
    int at = 2;
    while (true) {
      int marker = markerAt(at);
      int length = lengthAt(at);
      if (isFrame(marker)) {
        frame(at, marker, length);
        if (headerOnly) {
          return;
        }
      }
      if (marker == SOS) {
        if (header.width() == 0) {
          throw new MalformedFileException(name, at, "a scan before the frame header");
        }
        kept.write(file, at, file.length - at);
        return;
      }
      if (!isAncillary(at, marker)) {
        kept.write(file, at, length + 2);
      }
      at += length + 2;
    }
  }

  private int markerAt(int at) throws MalformedFileException {
    if (file.length - at < 4) {
      throw new MalformedFileException(name, at, "the file ends before its image");
    }
    int marker = file[at + 1] & 0xFF;
    if ((file[at] & 0xFF) != 0xFF || marker < 0xC0 || marker == SOI || marker == EOI) {
      throw new MalformedFileException(name, at, "no marker where a segment should begin");
    }
    return marker;
  }

  private int lengthAt(int at) throws MalformedFileException {
    int length = unsignedShort(at + 2);
    if (length < 2 || length > file.length - at - 2) {
      throw new MalformedFileException(
          name,
          at + 2,
          "a segment of " + length + " bytes; " + (file.length - at - 2) + " are left");
    }
    return length;
  }

  /** SOF0 to SOF15, without the tables that share their numbers (DHT, JPG, DAC). */
  private static boolean isFrame(int marker) {
    return marker >= 0xC0 && marker <= 0xCF && marker != 0xC4 && marker != 0xC8 && marker != 0xCC;
  }

  private void frame(int at, int marker, int length) throws MalformedFileException {
    if (marker > 0xC2) {
      throw new MalformedFileException(
          name,
          at,
          "lossless, hierarchical or arithmetic JPEG; baseline and progressive are readable");
    }
    if (header.width() != 0 || length < 8) {
      throw new MalformedFileException(name, at, "a second frame header, or one of wrong length");
    }
    int depth = file[at + 4] & 0xFF;
    int height = unsignedShort(at + 5);
    int width = unsignedShort(at + 7);
    int channels = file[at + 9] & 0xFF;
    if (depth != 8 || (channels != 1 && channels != 3)) {
      throw new MalformedFileException(
          name,
          at + 4,
          depth + " bits and " + channels + " channels; readable are 8 bits, grey or RGB");
    }
    if (height == 0 || width == 0 || length != 8 + 3 * channels) {
      throw new MalformedFileException(name, at + 5, "an image of " + width + "x" + height);
    }
    header = new ImageHeader(height, width, channels);
  }

  /** Segments that only describe; JFIF's and Adobe's stay, since they tell YCbCr from RGB. */
  private boolean isAncillary(int at, int marker) {
    boolean jfif =
        marker == APP0 && at + 8 < file.length && file[at + 5] == 'F' && file[at + 6] == 'I';
    boolean application = marker >= APP0 && marker <= APP15;
    return marker == COMMENT || (application && marker != APP14_ADOBE && !jfif);
  }

  private int unsignedShort(int at) {
    return (file[at] & 0xFF) << 8 | (file[at + 1] & 0xFF);
  }
}
