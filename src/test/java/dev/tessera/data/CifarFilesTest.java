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
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Reads files of the real sizes, filled with random pixels. */
final class CifarFilesTest {
  private static final int RECORD = 3073;

  @TempDir Path folder;

  @Test
  void binaryBatchesAndSheetsOfTheSameImagesAreTheSameDataset() throws IOException {
    SplittableRandom random = Seeds.fresh("CifarFilesTest.binaryAndSheets");
    byte[] records = records(random);
    Path binary = Files.write(folder.resolve("batch.bin"), records);
    byte[] sheet = new byte[CifarFiles.BATCH * 3072];
    StringBuilder labels = new StringBuilder("[");
    for (int i = 0; i < CifarFiles.BATCH; i++) {
      labels.append(i == 0 ? "" : ",").append(records[i * RECORD]);
      for (int p = 0; p < 1024; p++) {
        for (int c = 0; c < 3; c++) {
          sheet[i * 3072 + 3 * p + c] = records[i * RECORD + 1 + c * 1024 + p];
        }
      }
    }
    Path png = folder.resolve("batch.png");
    ImageFiles.writePng(png, new PixelImage(CifarFiles.BATCH, 1024, 3, sheet));
    Path json = Files.writeString(folder.resolve("labels.json"), labels + "]");

    ImageDataset fromBinary = CifarFiles.readBinary("x", List.of(binary));
    ImageDataset fromSheets = CifarFiles.readSheets("x", List.of(png), json);
    assertEquals("x [10000, 32, 32, 3]", fromBinary.toString());
    assertEquals(fromBinary.fingerprint(), fromSheets.fingerprint());
    assertArrayEquals(Arrays.copyOf(sheet, 3072), fromBinary.image(0).pixels());
    for (int i = 0; i < CifarFiles.BATCH; i++) {
      assertEquals(records[i * RECORD], fromBinary.label(i));
      assertEquals(records[i * RECORD], fromSheets.label(i));
    }
    assertFalse(CifarFiles.readSheets("x", List.of(png), null).hasLabels());
    Files.writeString(json, "[1,2,3]");
    refuse(() -> CifarFiles.readSheets("x", List.of(png), json), "3 labels; there should be 10000");
    Files.writeString(json, labels.toString().replaceFirst("\\[\\d", "[10") + "]");
    refuse(() -> CifarFiles.readSheets("x", List.of(png), json), "label 10 of image 0");
    ImageFiles.writePng(png, new PixelImage(CifarFiles.BATCH, 1024, 1, new byte[10_240_000]));
    refuse(() -> CifarFiles.readSheets("x", List.of(png), null), "a sheet is RGB, 1024x10000");
  }

  @Test
  void theSplitIsSonnetsAndFilesMayLieInTheArchivesFolder() throws IOException {
    SplittableRandom random = Seeds.fresh("CifarFilesTest.split");
    Path inner = Files.createDirectory(folder.resolve("cifar-10-batches-bin"));
    byte[] records = records(random);
    for (int b = 1; b <= 5; b++) {
      records[1] = (byte) b;
      Files.write(inner.resolve("data_batch_" + b + ".bin"), records);
    }
    Exception missing = assertThrows(FileNotFoundException.class, () -> Datasets.open(folder));
    assertTrue(missing.getMessage().contains("test_batch.bin is missing"), missing.getMessage());
    records[1] = 6;
    Files.write(inner.resolve("test_batch.bin"), records);
    DatasetSplit split = Datasets.open(folder);
    assertEquals("cifar10-train [40000, 32, 32, 3]", split.train().toString());
    assertEquals("cifar10-validation [10000, 32, 32, 3]", split.heldOut().toString());
    assertEquals("cifar10-test [10000, 32, 32, 3]", String.valueOf(split.test()));
    assertEquals(4, split.train().image(30_000).pixels()[0]);
    assertEquals(5, split.heldOut().image(0).pixels()[0]);
  }

  @Test
  void damagedBatchesAreRefused() throws IOException {
    SplittableRandom random = Seeds.fresh("CifarFilesTest.damaged");
    byte[] records = records(random);
    Path file = folder.resolve("batch.bin");
    for (int length : new int[] {0, 1, RECORD, records.length - RECORD, records.length - 1}) {
      Files.write(file, Arrays.copyOf(records, length));
      refuse(() -> CifarFiles.readBinary("x", List.of(file)), length + " bytes; a CIFAR-10 batch");
    }
    Files.write(file, Arrays.copyOf(records, records.length + 1));
    refuse(() -> CifarFiles.readBinary("x", List.of(file)), "a CIFAR-10 batch has 30730000");
    int image = random.nextInt(CifarFiles.BATCH);
    records[image * RECORD] = 10;
    Files.write(file, records);
    refuse(
        () -> CifarFiles.readBinary("x", List.of(file)),
        "at byte " + (long) image * RECORD + ": label 10");
  }

  private interface Reading {
    void run() throws IOException;
  }

  private static void refuse(Reading reading, String part) {
    Exception e = assertThrows(MalformedFileException.class, reading::run);
    assertTrue(e.getMessage().contains(part), e.getMessage());
  }

  private static byte[] records(SplittableRandom random) {
    byte[] records = Seeds.bytes(random, CifarFiles.BATCH * RECORD);
    for (int i = 0; i < CifarFiles.BATCH; i++) {
      records[i * RECORD] = (byte) random.nextInt(10);
    }
    return records;
  }
}
