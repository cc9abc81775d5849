package dev.tessera.data;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.tessera.io.Damage;
import dev.tessera.io.Seeds;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.lang.foreign.ValueLayout;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.SplittableRandom;
import java.util.zip.Deflater;
import java.util.zip.GZIPOutputStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

final class IdxFileTest {
  @TempDir Path folder;

  @Test
  void plainAndGzippedFilesHoldTheSame() throws IOException {
    SplittableRandom random = Seeds.fresh("IdxFileTest.plainAndGzipped");
    byte[] pixels = Seeds.bytes(random, 100 * 28 * 30);
    byte[] file = images(100, 28, 30, pixels);
    Path plain = Files.write(folder.resolve("a-idx3-ubyte"), file);
    Path gzipped = Files.write(folder.resolve("a-idx3-ubyte.gz"), gzip(file));
    for (Path path : new Path[] {plain, gzipped}) {
      IdxFile.Content content = IdxFile.of(path).readImages();
      assertArrayEquals(new int[] {100, 28, 30}, content.dimensions);
      assertArrayEquals(pixels, content.bytes.toArray(ValueLayout.JAVA_BYTE));
    }
    Path labels = Files.write(folder.resolve("l"), idx(Seeds.bytes(random, 5), 5));
    assertArrayEquals(
        Arrays.copyOfRange(Files.readAllBytes(labels), 8, 13), IdxFile.of(labels).readLabels(5));
  }

  @Test
  void damageIsOneKindOfExceptionAndTakesNoMemory() throws IOException {
    SplittableRandom random = Seeds.fresh("IdxFileTest.damage");
    byte[] valid = images(3, 4, 5, Seeds.bytes(random, 60));
    Damage damage = new Damage(folder.resolve("damaged"), valid, IdxFileTest::readImages);
    damage.truncate(valid.length, random, 0).extend(1 << 12).mutate(random, 500);
    damage.flipBitsAllNoticed(0, 16);
    byte[] labels = idx(Seeds.bytes(random, 9), 9);
    new Damage(folder.resolve("labels"), labels, file -> IdxFile.of(file).readLabels(9))
        .truncate(labels.length, random, 0)
        .extend(1 << 12)
        .flipBitsAllNoticed(0, 8);
  }

  @Test
  void damagedGzipIsOneKindOfExceptionAndTakesNoMemory() throws IOException {
    SplittableRandom random = Seeds.fresh("IdxFileTest.damagedGzip");
    byte[] pixels = Seeds.bytes(random, 3000);
    for (int i = 0; i < pixels.length; i++) {
      pixels[i] &= 3;
    }
    // Without references to earlier bytes: one that is damaged may find the same bytes elsewhere.
    byte[] valid = gzip(images(30, 10, 10, pixels), Deflater.HUFFMAN_ONLY);
    Damage damage = new Damage(folder.resolve("damaged.gz"), valid, IdxFileTest::readImages);
    damage.truncate(valid.length - 1, random, 0).flipBits(0, 40).mutate(random, 500);
    // Amid the data every bit counts for the checksum.
    damage.flipBitsAllNoticed(300, 340);
    assertTrue(damage.refused() > 800, "refused " + damage.refused());
  }

  @Test
  void absurdSizesAndGzipBombsAreRefused() throws IOException {
    refuse("a", images(Integer.MAX_VALUE, Integer.MAX_VALUE, 2, new byte[0]), "take");
    refuse(
        "a", images(Integer.MAX_VALUE, Integer.MAX_VALUE, Integer.MAX_VALUE, new byte[0]), "2^63");
    refuse("a", images(60_000, 28, 28, new byte[100]), "take 47040016");
    refuse("a", images(0, 28, 28, new byte[0]), "dimension 0 must be");
    refuse("a", images(-1, 28, 28, new byte[0]), "dimension 4294967295 must be");
    refuse("a", idx(new byte[50], 50), "magic number 00000801");
    refuse("a.gz", gzip(images(1_000_000, 28, 28, new byte[100])), "inflates to 116");
    refuse("a.gz", images(1, 1, 1, new byte[1]), "damaged gzip");
    ByteArrayOutputStream bomb = new ByteArrayOutputStream();
    try (OutputStream out = new GZIPOutputStream(bomb)) {
      out.write(images(1, 2, 2, new byte[0]));
      for (int i = 0; i < 256; i++) {
        out.write(new byte[1 << 18]);
      }
    }
    refuse("a.gz", bomb.toByteArray(), "bytes or more");
  }

  private void refuse(String name, byte[] file, String part) throws IOException {
    new Damage(folder.resolve(name), file, IdxFileTest::readImages).mustRefuse(file, part);
  }

  private static void readImages(Path file) throws IOException {
    IdxFile.of(file).readImages();
  }

  static byte[] images(int count, int height, int width, byte[] pixels) {
    return idx(pixels, count, height, width);
  }

  static byte[] idx(byte[] bytes, int... dimensions) {
    ByteBuffer file = ByteBuffer.allocate(4 + 4 * dimensions.length + bytes.length);
    file.putInt(0x0800 + dimensions.length);
    for (int dimension : dimensions) {
      file.putInt(dimension);
    }
    return file.put(bytes).array();
  }

  static byte[] gzip(byte[] bytes) throws IOException {
    return gzip(bytes, Deflater.DEFAULT_STRATEGY);
  }

  private static byte[] gzip(byte[] bytes, int strategy) throws IOException {
    ByteArrayOutputStream zipped = new ByteArrayOutputStream();
    try (OutputStream out = new StrategyGzip(zipped, strategy)) {
      out.write(bytes);
    }
    return zipped.toByteArray();
  }

  private static final class StrategyGzip extends GZIPOutputStream {
    StrategyGzip(OutputStream out, int strategy) throws IOException {
      super(out);
      def.setStrategy(strategy);
    }
  }
}
