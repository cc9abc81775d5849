package dev.tessera.io;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.File;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.List;
import java.util.SplittableRandom;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

final class AtomicFilesTest {
  @TempDir Path folder;

  @Test
  void replacesTheContentAndLeavesNothingElse() throws IOException {
    Path file = folder.resolve("a.txt");
    AtomicFiles.write(file, "old, and longer");
    AtomicFiles.write(file, "new");
    assertEquals("new", Files.readString(file));
    assertEquals(List.of("a.txt"), names());
  }

  @Test
  void aFailureLeavesTheOldContentAndNothingElse() throws IOException {
    Path file = folder.resolve("a.txt");
    AtomicFiles.write(file, "old");
    IOException failure = new IOException("disk full");
    IOException thrown =
        assertThrows(
            IOException.class,
            () ->
                AtomicFiles.write(
                    file,
                    channel -> {
                      channel.write(ByteBuffer.wrap(new byte[100]));
                      throw failure;
                    }));
    assertSame(failure, thrown);
    assertEquals("old", Files.readString(file));
    assertEquals(List.of("a.txt"), names());
    assertThrows(
        NoSuchFileException.class, () -> AtomicFiles.write(folder.resolve("no/a.txt"), "x"));
  }

  @Test
  void leftoversOfKilledWritersAreDeletedAndNothingElse() throws IOException {
    Files.writeString(folder.resolve(".a.txt.123-1.tessera-tmp"), "half");
    Files.writeString(folder.resolve(".hidden"), "kept");
    Files.writeString(folder.resolve("b.tessera-tmp"), "kept");
    AtomicFiles.deleteLeftovers(folder);
    assertEquals(List.of(".hidden", "b.tessera-tmp"), names());
  }

  /** A process writes "aaa...", "bbb...", ... for ever and is killed: the file must be whole. */
  @Test
  void aKilledWriterLeavesAWholeFile() throws Exception {
    SplittableRandom random = Seeds.fresh("AtomicFilesTest.aKilledWriter");
    Path file = folder.resolve("a.bin");
    Process writer =
        new ProcessBuilder(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-XX:+UseSerialGC",
                "-cp",
                classPath(),
                Writer.class.getName(),
                file.toString())
            .redirectErrorStream(true)
            .redirectOutput(ProcessBuilder.Redirect.DISCARD)
            .start();
    try {
      for (int i = 0; i < 2000 && !Files.exists(file); i++) {
        Thread.sleep(5);
      }
      Thread.sleep(random.nextInt(100));
    } finally {
      writer.destroyForcibly();
      assertTrue(writer.waitFor(10, TimeUnit.SECONDS));
    }
    byte[] content = Files.readAllBytes(file);
    assertEquals(Writer.BYTES, content.length);
    for (byte b : content) {
      assertEquals(content[0], b);
    }
  }

  /** What the killed process runs. */
  static final class Writer {
    static final int BYTES = 300_000;

    private Writer() {}

    public static void main(String[] args) throws IOException {
      while (true) {
        for (char c = 'a'; c <= 'z'; c++) {
          AtomicFiles.write(Path.of(args[0]), String.valueOf(c).repeat(BYTES));
        }
      }
    }
  }

  private static String classPath() throws Exception {
    return Path.of(AtomicFiles.class.getProtectionDomain().getCodeSource().getLocation().toURI())
        + File.pathSeparator
        + Path.of(Writer.class.getProtectionDomain().getCodeSource().getLocation().toURI());
  }

  private List<String> names() throws IOException {
    try (Stream<Path> files = Files.list(folder)) {
      return files.map(f -> f.getFileName().toString()).sorted().toList();
    }
  }
}
