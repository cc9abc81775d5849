package dev.tessera.data;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.tessera.io.ImageFiles;
import dev.tessera.io.MalformedFileException;
import dev.tessera.io.PixelImage;
import dev.tessera.io.Seeds;
import java.io.FileNotFoundException;
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.SplittableRandom;
import java.util.zip.GZIPInputStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

final class DatasetsTest {
  @TempDir Path folder;

  /** The published count of each digit in MNIST's test set, and the files' checksums. */
  @Test
  void embeddedDigitsAreMnistsTestSet() throws Exception {
    DatasetSplit digits = Datasets.embeddedDigits();
    assertEquals("mnist-digits-train [9000, 28, 28, 1]", digits.train().toString());
    assertEquals("mnist-digits-held-out [1000, 28, 28, 1]", digits.heldOut().toString());
    int[] counts = new int[10];
    for (ImageDataset part : new ImageDataset[] {digits.train(), digits.heldOut()}) {
      for (int i = 0; i < part.count(); i++) {
        counts[part.label(i)]++;
      }
    }
    assertArrayEquals(new int[] {980, 1135, 1032, 1010, 982, 892, 958, 1028, 974, 1009}, counts);
    assertEquals(
        "0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7",
        sha256("t10k-images-idx3-ubyte.gz"));
    assertEquals(
        "ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2",
        sha256("t10k-labels-idx1-ubyte.gz"));
    // The first test digit is a 7 and the last a 6, as everybody who has used MNIST knows.
    assertEquals(7, digits.train().label(0));
    assertEquals(6, digits.heldOut().label(999));
    assertEquals(0, SeenImages.of(digits.train()).countIn(digits.heldOut()));
  }

  @Test
  void idxFilesAreFoundUnderAllTheirNames() throws IOException {
    SplittableRandom random = Seeds.fresh("DatasetsTest.idxNames");
    byte[] train = IdxFileTest.images(20, 3, 4, Seeds.bytes(random, 240));
    byte[] test = IdxFileTest.images(5, 3, 4, Seeds.bytes(random, 60));
    String[][] spellings = {
      {"-images-idx3-ubyte", ""}, {"-images.idx3-ubyte", ""}, {"-images-idx3-ubyte", ".gz"}
    };
    for (int s = 0; s < spellings.length; s++) {
      Path place =
          Files.createDirectories(folder.resolve("digits" + s + (s == 1 ? "/MNIST/raw" : "")));
      String ending = spellings[s][0] + spellings[s][1];
      boolean zipped = ending.endsWith(".gz");
      Files.write(place.resolve("train" + ending), zipped ? IdxFileTest.gzip(train) : train);
      Files.write(place.resolve("t10k" + ending), zipped ? IdxFileTest.gzip(test) : test);
      DatasetSplit split = Datasets.open(folder.resolve("digits" + s));
      assertEquals("digits" + s + "-train [20, 3, 4, 1]", split.train().toString());
      assertEquals("digits" + s + "-test [5, 3, 4, 1]", split.heldOut().toString());
      assertFalse(split.train().hasLabels());
    }
    Path place = folder.resolve("digits0");
    Files.write(place.resolve("train-labels-idx1-ubyte"), IdxFileTest.idx(new byte[20], 20));
    assertTrue(Datasets.open(place).train().hasLabels());
    Files.write(place.resolve("train-labels-idx1-ubyte"), IdxFileTest.idx(new byte[19], 19));
    refuse(place, "19 labels for 20 images");
    Files.delete(place.resolve("train-labels-idx1-ubyte"));
    Files.write(place.resolve("t10k-images-idx3-ubyte"), IdxFileTest.images(5, 4, 3, new byte[60]));
    refuse(place, "differ in image size");
    Files.delete(place.resolve("t10k-images-idx3-ubyte"));
    DatasetSplit alone = Datasets.open(place);
    assertEquals(18, alone.train().count());
    assertEquals(2, alone.heldOut().count());
  }

  @Test
  void aFolderOfImagesIsReadSortedAndEveryTenthIsHeldOut() throws IOException {
    Path place = Files.createDirectories(folder.resolve("photos/cats")).getParent();
    for (int i = 0; i < 23; i++) {
      byte[] pixels = new byte[6];
      pixels[0] = (byte) i;
      Path file = place.resolve((i < 12 ? "a" : "cats/b") + String.format("%02d", i) + ".PNG");
      ImageFiles.writePng(file, new PixelImage(2, 3, 1, pixels));
    }
    Files.writeString(place.resolve(".hidden.png"), "not looked at");
    Files.writeString(place.resolve("notes.txt"), "not looked at");
    DatasetSplit split = Datasets.open(place);
    assertEquals("photos-train [21, 2, 3, 1]", split.train().toString());
    assertEquals("photos-held-out [2, 2, 3, 1]", split.heldOut().toString());
    assertEquals(9, split.heldOut().image(0).pixels()[0]);
    assertEquals(19, split.heldOut().image(1).pixels()[0]);
    assertEquals(10, split.train().image(9).pixels()[0]);

    byte[] rgb = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18};
    ImageFiles.writePng(place.resolve("a00.PNG"), new PixelImage(2, 3, 3, rgb));
    ImageDataset mixed = Datasets.open(place).train();
    assertEquals(3, mixed.channels());
    assertArrayEquals(rgb, mixed.image(0).pixels());
    assertArrayEquals(new byte[] {1, 1, 1, 0, 0}, Arrays.copyOf(mixed.image(1).pixels(), 5));

    ImageFiles.writePng(place.resolve("cats/b20.PNG"), new PixelImage(3, 2, 1, new byte[6]));
    refuse(place, "b20.PNG: 2x3 grey, and", "a00.PNG is 3x2 RGB", "crop or resize");
    Files.writeString(place.resolve("cats/b20.PNG"), "no image");
    refuse(place, "b20.PNG", "neither a PNG nor a JPEG");
  }

  @Test
  void foldersNamedTrainAndTestAreTheSplit() throws IOException {
    for (String part : new String[] {"train", "val"}) {
      Path place = Files.createDirectories(folder.resolve("set/" + part));
      for (int i = 0; i < 3; i++) {
        ImageFiles.writePng(place.resolve(i + ".png"), new PixelImage(1, 1, 1, new byte[1]));
      }
    }
    DatasetSplit split = Datasets.open(folder.resolve("set"));
    assertEquals("set-train [3, 1, 1, 1]", split.train().toString());
    assertEquals("set-held-out [3, 1, 1, 1]", split.heldOut().toString());
  }

  @Test
  void whatWasLookedForIsSaid() throws IOException {
    Path empty = Files.createDirectory(folder.resolve("empty"));
    Exception nothing = assertThrows(FileNotFoundException.class, () -> Datasets.open(empty));
    for (String part : new String[] {"train-images-idx3-ubyte", "data_batch_1", ".jpg"}) {
      assertTrue(nothing.getMessage().contains(part), nothing.getMessage());
    }
    Exception missing =
        assertThrows(FileNotFoundException.class, () -> Datasets.open(folder.resolve("no")));
    assertTrue(missing.getMessage().contains("is not a folder"), missing.getMessage());
    ImageFiles.writePng(empty.resolve("1.png"), new PixelImage(1, 1, 1, new byte[1]));
    Exception few = assertThrows(FileNotFoundException.class, () -> Datasets.open(empty));
    assertTrue(few.getMessage().contains("1 images; at least 10"), few.getMessage());
  }

  private static void refuse(Path place, String... parts) {
    Exception e = assertThrows(MalformedFileException.class, () -> Datasets.open(place));
    for (String part : parts) {
      assertTrue(e.getMessage().contains(part), e.getMessage());
    }
  }

  private static String sha256(String resource) throws Exception {
    try (InputStream in = Datasets.class.getResourceAsStream(resource)) {
      if (in == null) {
        throw new AssertionError(resource + " is not there");
      }
      ByteBuffer content = ByteBuffer.wrap(new GZIPInputStream(in).readAllBytes());
      MessageDigest digest = MessageDigest.getInstance("SHA-256");
      digest.update(content);
      return HexFormat.of().formatHex(digest.digest());
    }
  }
}
