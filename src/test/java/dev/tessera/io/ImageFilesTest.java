package dev.tessera.io;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.awt.image.BufferedImage;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.SplittableRandom;
import java.util.zip.CRC32;
import java.util.zip.Deflater;
import javax.imageio.ImageIO;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

final class ImageFilesTest {
  @TempDir Path folder;

  @Test
  void pngComesBackBitForBitInGreyAndRgb() throws IOException {
    SplittableRandom random = Seeds.fresh("ImageFilesTest.pngComesBack");
    for (int channels : new int[] {1, 3}) {
      for (int i = 0; i < 20; i++) {
        PixelImage image = random(random, 1 + random.nextInt(40), 1 + random.nextInt(40), channels);
        Path file = folder.resolve("a.png");
        ImageFiles.writePng(file, image);
        PixelImage read = ImageFiles.read(file);
        assertEquals(image.height(), read.height());
        assertEquals(image.width(), read.width());
        assertArrayEquals(image.pixels(), read.pixels());
        assertEquals(
            new ImageHeader(image.height(), image.width(), channels), ImageFiles.readHeader(file));
      }
    }
  }

  /** A file put together by hand: 2x2 grey, filter 0 a row, in stored order. */
  @Test
  void readsAHandMadePngAsItStands() throws IOException {
    Path file = folder.resolve("hand.png");
    Files.write(file, png(2, 2, 8, 0, new byte[] {0, 1, 100, 0, (byte) 200, (byte) 255}));
    assertArrayEquals(new byte[] {1, 100, (byte) 200, (byte) 255}, ImageFiles.read(file).pixels());
  }

  @Test
  void readsGreyOfFewBitsAndPalettes() throws IOException {
    Path file = folder.resolve("few.png");
    Files.write(file, png(4, 1, 2, 0, new byte[] {0, 0b00_01_10_11}));
    assertArrayEquals(new byte[] {0, 85, (byte) 170, (byte) 255}, ImageFiles.read(file).pixels());
    Files.write(file, png(9, 1, 1, 0, new byte[] {0, (byte) 0b10100000, (byte) 0b10000000}));
    assertArrayEquals(new byte[] {-1, 0, -1, 0, 0, 0, 0, 0, -1}, ImageFiles.read(file).pixels());
    BufferedImage indexed = new BufferedImage(2, 1, BufferedImage.TYPE_BYTE_INDEXED);
    indexed.setRGB(0, 0, 0xFFFF0000);
    indexed.setRGB(1, 0, 0xFF0000FF);
    ImageIO.write(indexed, "png", file.toFile());
    assertArrayEquals(new byte[] {-1, 0, 0, 0, 0, -1}, ImageFiles.read(file).pixels());
  }

  @Test
  void anAlphaChannelMustBeOpaque() throws IOException {
    Path file = folder.resolve("alpha.png");
    BufferedImage image = new BufferedImage(2, 1, BufferedImage.TYPE_INT_ARGB);
    image.setRGB(0, 0, 0xFF010203);
    image.setRGB(1, 0, 0xFF040506);
    ImageIO.write(image, "png", file.toFile());
    assertArrayEquals(new byte[] {1, 2, 3, 4, 5, 6}, ImageFiles.read(file).pixels());
    image.setRGB(1, 0, 0xFE040506);
    ImageIO.write(image, "png", file.toFile());
    Exception e = assertThrows(MalformedFileException.class, () -> ImageFiles.read(file));
    assertTrue(e.getMessage().contains("pixel (1, 0) is transparent"), e.getMessage());
  }

  @Test
  void jpegOfSmoothImagesComesBackNearly() throws IOException {
    for (int channels : new int[] {1, 3}) {
      Path file = folder.resolve(channels + ".jpg");
      Files.write(file, jpeg(32, 48, channels));
      assertEquals(new ImageHeader(32, 48, channels), ImageFiles.readHeader(file));
      PixelImage read = ImageFiles.read(file);
      byte[] expected = smooth(32, 48, channels).pixels();
      for (int i = 0; i < expected.length; i++) {
        int difference = (expected[i] & 0xFF) - (read.pixels()[i] & 0xFF);
        assertTrue(Math.abs(difference) <= 24, "sample " + i + " is off by " + difference);
      }
    }
  }

  @Test
  void everyFlippedBitOfAPngIsNoticed() throws IOException {
    SplittableRandom random = Seeds.fresh("ImageFilesTest.pngDamage");
    byte[] valid = ImageFiles.png(random(random, 9, 7, 3));
    Damage damage = new Damage(folder.resolve("damaged.png"), valid, ImageFiles::read);
    damage
        .truncate(valid.length, random, 0)
        .extend(1 << 12)
        .flipBitsAllNoticed(0, valid.length)
        .mutate(random, 1500);
  }

  /** Checksums set right again, so that damage reaches the checks and the decoder behind them. */
  @Test
  void damageBehindRightChecksumsIsOneKindOfException() throws IOException {
    SplittableRandom random = Seeds.fresh("ImageFilesTest.pngDamageBehindChecksums");
    byte[] scanlines = Seeds.bytes(random, 8 * (1 + 8 * 3));
    for (int i = 0; i < scanlines.length; i += 25) {
      scanlines[i] = (byte) random.nextInt(7);
    }
    for (int i = 0; i < 1500; i++) {
      byte[] header = header(8, 8, 8, 2);
      byte[] data = deflate(scanlines);
      byte[] damaged = random.nextBoolean() ? header : data;
      damaged[random.nextInt(damaged.length)] ^= (byte) (1 << random.nextInt(8));
      byte[] file = chunks(header, data);
      new Damage(folder.resolve("damaged.png"), file, ImageFiles::read).readOrRefuse();
    }
  }

  @Test
  void jpegDamageIsOneKindOfException() throws IOException {
    SplittableRandom random = Seeds.fresh("ImageFilesTest.jpegDamage");
    byte[] valid = jpeg(16, 16, 3);
    Damage damage = new Damage(folder.resolve("damaged.jpg"), valid, ImageFiles::read);
    damage.truncate(valid.length - 2, random, 0).flipBits(0, valid.length).mutate(random, 1000);
  }

  @Test
  void decompressionBombsAreRefusedFromTheirHeaders() throws IOException {
    refuse(png(60_000, 60_000, 8, 2, new byte[1000]), "at most 67108864 are read");
    refuse(png(8192, 8192, 8, 2, new byte[1000]), "cannot come out of a file of");
    refuse(png(Integer.MAX_VALUE, Integer.MAX_VALUE, 8, 0, new byte[9]), "at most 67108864");
    refuse(png(0, 1, 8, 0, new byte[9]), "sides must be");
    refuse(png(-1, 1, 8, 0, new byte[9]), "sides must be");
    refuse(png(1, 1, 16, 0, new byte[3]), "16 bits a sample");
    refuse(png(1, 1, 8, 5, new byte[3]), "is not one of PNG's");
    refuse("GIF89a".getBytes(StandardCharsets.ISO_8859_1), "neither a PNG nor a JPEG");
    refuse(new byte[0], "neither a PNG nor a JPEG");
    Path file = folder.resolve("limit.png");
    ImageFiles.writePng(file, new PixelImage(3, 4, 1, new byte[12]));
    assertEquals(12, ImageFiles.read(file, 12).pixels().length);
    assertThrows(MalformedFileException.class, () -> ImageFiles.read(file, 11));
  }

  @Test
  void gridsPlaceImagesAndWhiteGaps() {
    byte[] a = {1, 2};
    byte[] b = {3, 4};
    byte[] c = {5, 6};
    PixelImage grid =
        ImageGrid.of(
            List.of(
                new PixelImage(1, 2, 1, a), new PixelImage(1, 2, 1, b), new PixelImage(1, 2, 1, c)),
            2);
    byte[] expected = {
      1, 2, -1, -1, 3, 4, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, 5, 6, -1, -1, -1, -1
    };
    assertEquals(4, grid.height());
    assertEquals(6, grid.width());
    assertArrayEquals(expected, grid.pixels());
    List<PixelImage> images = ImageGrid.images(grid, 1, 2, 3);
    assertEquals(3, images.size());
    assertArrayEquals(a, images.get(0).pixels());
    assertArrayEquals(b, images.get(1).pixels());
    assertArrayEquals(c, images.get(2).pixels());
    assertEquals(4, ImageGrid.images(grid, 1, 2, 9).size()); // the empty place is white
    assertThrows(IllegalArgumentException.class, () -> ImageGrid.images(grid, 1, 3, 3));
  }

  @Test
  void floatsBecomePixelsRoundedAndClamped() {
    float[] values = {9f, -0.5f, 0.5f, 0f, 128f / 255f - 0.5f, 2f, -3f, Float.NaN};
    PixelImage image = PixelImage.ofFloats(MemorySegment.ofArray(values), 1, 1, 7, 1, -0.5f);
    assertArrayEquals(new byte[] {0, -1, (byte) 128, (byte) 128, -1, 0, 0}, image.pixels());
  }

  private void refuse(byte[] content, String part) throws IOException {
    new Damage(folder.resolve("bomb.png"), content, ImageFiles::read).mustRefuse(content, part);
  }

  private static PixelImage random(SplittableRandom random, int height, int width, int channels) {
    return new PixelImage(height, width, channels, Seeds.bytes(random, height * width * channels));
  }

  private static PixelImage smooth(int height, int width, int channels) {
    byte[] pixels = new byte[height * width * channels];
    for (int i = 0; i < pixels.length; i++) {
      int pixel = i / channels;
      pixels[i] = (byte) (40 + 3 * (pixel / width) + 2 * (pixel % width) + 10 * (i % channels));
    }
    return new PixelImage(height, width, channels, pixels);
  }

  private static byte[] jpeg(int height, int width, int channels) throws IOException {
    BufferedImage image =
        new BufferedImage(
            width,
            height,
            channels == 1 ? BufferedImage.TYPE_BYTE_GRAY : BufferedImage.TYPE_3BYTE_BGR);
    image
        .getRaster()
        .setDataElements(0, 0, width, height, smooth(height, width, channels).pixels());
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    assertTrue(ImageIO.write(image, "jpeg", bytes));
    return bytes.toByteArray();
  }

  private static byte[] png(int width, int height, int depth, int colour, byte[] scanlines) {
    return chunks(header(width, height, depth, colour), deflate(scanlines));
  }

  private static byte[] header(int width, int height, int depth, int colour) {
    return ByteBuffer.allocate(13)
        .putInt(width)
        .putInt(height)
        .put((byte) depth)
        .put((byte) colour)
        .array();
  }

  private static byte[] deflate(byte[] scanlines) {
    try (Deflater deflater = new Deflater()) {
      deflater.setInput(scanlines);
      deflater.finish();
      byte[] out = new byte[scanlines.length + 100];
      int length = deflater.deflate(out);
      return Arrays.copyOf(out, length);
    }
  }

  private static byte[] chunks(byte[] header, byte[] data) {
    ByteBuffer file = ByteBuffer.allocate(8 + 3 * 12 + header.length + data.length);
    file.putLong(0x89504E470D0A1A0AL);
    chunk(file, "IHDR", header);
    chunk(file, "IDAT", data);
    chunk(file, "IEND", new byte[0]);
    return file.array();
  }

  private static void chunk(ByteBuffer file, String type, byte[] content) {
    CRC32 crc = new CRC32();
    crc.update(type.getBytes(StandardCharsets.ISO_8859_1));
    crc.update(content);
    file.putInt(content.length)
        .put(type.getBytes(StandardCharsets.ISO_8859_1))
        .put(content)
        .putInt((int) crc.getValue());
  }
}
