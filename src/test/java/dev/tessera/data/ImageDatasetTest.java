package dev.tessera.data;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import dev.tessera.io.Seeds;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.security.MessageDigest;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;

final class ImageDatasetTest {
  @Test
  void viewsShareImagesAndLabels() {
    SplittableRandom random = Seeds.fresh("ImageDatasetTest.views");
    byte[] pixels = Seeds.bytes(random, 10 * 2 * 3 * 3);
    byte[] labels = Seeds.bytes(random, 10);
    ImageDataset all = ImageDataset.of("all", 2, 3, 3, MemorySegment.ofArray(pixels), labels);
    ImageDataset view = all.slice("tail", 4, 10).select("picked", new int[] {5, 0, 0, 3});
    int[] rows = {9, 4, 4, 7};
    assertEquals("picked [4, 2, 3, 3]", view.toString());
    for (int i = 0; i < rows.length; i++) {
      byte[] expected = Arrays.copyOfRange(pixels, rows[i] * 18, rows[i] * 18 + 18);
      assertArrayEquals(expected, view.image(i).pixels());
      assertEquals(Byte.toUnsignedInt(labels[rows[i]]), view.label(i));
      byte[] target = new byte[20];
      view.read(i, MemorySegment.ofArray(target), 2);
      assertArrayEquals(expected, Arrays.copyOfRange(target, 2, 20));
    }
    assertThrows(IndexOutOfBoundsException.class, () -> view.image(4));
    assertThrows(IndexOutOfBoundsException.class, () -> view.label(-1));
    assertThrows(IndexOutOfBoundsException.class, () -> all.slice("x", 5, 11));
    assertThrows(IndexOutOfBoundsException.class, () -> all.select("x", new int[] {10}));
  }

  @Test
  void sizesThatDoNotFitAreRefused() {
    MemorySegment six = MemorySegment.ofArray(new byte[6]);
    assertThrows(IllegalArgumentException.class, () -> ImageDataset.of("x", 2, 2, 1, six, null));
    assertThrows(IllegalArgumentException.class, () -> ImageDataset.of("x", 0, 2, 1, six, null));
    assertThrows(
        IllegalArgumentException.class, () -> ImageDataset.of("x", 1, 2, 1, six, new byte[2]));
    ImageDataset none = ImageDataset.of("x", 1, 2, 3, six, null);
    assertThrows(IllegalStateException.class, () -> none.label(0));
  }

  @Test
  void fingerprintIsSha256OfSizesAndPixelsInOrder() throws Exception {
    SplittableRandom random = Seeds.fresh("ImageDatasetTest.fingerprint");
    byte[] pixels = Seeds.bytes(random, 12);
    ImageDataset data = ImageDataset.of("x", 2, 3, 1, MemorySegment.ofArray(pixels), null);
    byte[] hashed = ByteBuffer.allocate(24).putInt(2).putInt(3).putInt(1).put(pixels).array();
    byte[] digest = MessageDigest.getInstance("SHA-256").digest(hashed);
    assertEquals(HexFormat.of().formatHex(digest), data.fingerprint());
    assertEquals(data.fingerprint(), data.fingerprint());
    ImageDataset swapped = data.select("y", new int[] {1, 0});
    assertNotEquals(data.fingerprint(), swapped.fingerprint());
    assertEquals(data.contentHashes()[0], swapped.contentHashes()[1]);
    ImageDataset turned = ImageDataset.of("x", 3, 2, 1, MemorySegment.ofArray(pixels), null);
    assertNotEquals(data.fingerprint(), turned.fingerprint());
    assertNotEquals(data.contentHashes()[0], turned.contentHashes()[0]);
  }

  @Test
  void statisticsAgreeWithTwoPassesInFloat64() {
    SplittableRandom random = Seeds.fresh("ImageDatasetTest.statistics");
    byte[] pixels = Seeds.bytes(random, 5 * 7 * 3 * 11);
    ImageDataset data = ImageDataset.of("x", 5, 7, 3, MemorySegment.ofArray(pixels), null);
    double mean = 0;
    for (byte pixel : pixels) {
      mean += Byte.toUnsignedInt(pixel) / 255.0 / pixels.length;
    }
    double variance = 0;
    for (byte pixel : pixels) {
      double difference = Byte.toUnsignedInt(pixel) / 255.0 - mean;
      variance += difference * difference / pixels.length;
    }
    assertEquals(pixels.length, data.statistics().samples());
    assertEquals(mean, data.statistics().mean(), 1e-13);
    assertEquals(variance, data.statistics().variance(), 1e-13);
    ImageDataset grey =
        ImageDataset.of("x", 1, 2, 1, MemorySegment.ofArray(new byte[] {0, -1}), null);
    assertEquals(new PixelStatistics(2, 0.5, 0.25), grey.statistics());
    assertEquals(Double.NaN, grey.slice("none", 0, 0).statistics().variance());
  }
}
