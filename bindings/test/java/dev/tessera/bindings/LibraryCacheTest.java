package dev.tessera.bindings;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.tessera.bindings.LibraryManifest.Entry;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.security.MessageDigest;
import java.util.HexFormat;
import java.util.stream.Stream;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A file that the cache hands out is the one that the jar has, in a folder that is private. */
class LibraryCacheTest {
  private static final byte[] CONTENT = "a library".getBytes(UTF_8);

  @TempDir Path temporary;
  private Path root = Path.of("");
  private Entry entry = new Entry("", "", 0, "");
  private int unpacked;

  @BeforeEach
  void setUp() throws Exception {
    root = temporary.resolve("cache");
    String sha256 = HexFormat.of().formatHex(MessageDigest.getInstance("SHA-256").digest(CONTENT));
    entry = new Entry("libx.so", "/x/libx.so", CONTENT.length, sha256);
  }

  private LibraryCache open() throws IOException {
    return LibraryCache.open(
        root,
        "build",
        wanted -> {
          unpacked++;
          return new ByteArrayInputStream(CONTENT);
        });
  }

  private void assertIntact(Path file) throws IOException {
    assertEquals("a library", Files.readString(file));
    try (Stream<Path> files = Files.walk(root)) {
      assertTrue(files.noneMatch(path -> path.toString().endsWith(".tmp")), "a .tmp is left");
    }
  }

  @Test
  void unpacksOnceIntoFoldersForTheOwnerAlone() throws IOException {
    Path file = open().install(entry);
    assertIntact(file);
    assertEquals(file, open().install(entry));
    assertEquals(1, unpacked);
    for (Path folder : new Path[] {root, root.resolve("files"), file.getParent()}) {
      assertEquals(
          "rwx------", PosixFilePermissions.toString(Files.getPosixFilePermissions(folder)));
    }
  }

  @Test
  void unpacksAgainWhatWasTamperedWith() throws IOException {
    Path file = open().install(entry);
    Files.writeString(file, "b library"); // Same size, and in place: its hard link changes too.
    assertIntact(open().install(entry));
    assertEquals(2, unpacked);
  }

  @Test
  void unpacksAgainWhatWasTruncatedOrReplacedByALink() throws IOException {
    Path file = open().install(entry);
    Files.writeString(file, "a lib");
    assertIntact(open().install(entry));

    Path other = Files.writeString(temporary.resolve("other"), "a library");
    Files.delete(file);
    Files.createSymbolicLink(file, other);
    assertIntact(open().install(entry));
    assertTrue(Files.isRegularFile(file, LinkOption.NOFOLLOW_LINKS));
  }

  @Test
  void refusesAClassPathCopyThatIsNotTheManifests() throws IOException {
    Entry other = new Entry("liby.so", "/x/liby.so", 9, "0".repeat(64));
    LibraryCache cache = open();
    String message = assertThrows(IOException.class, () -> cache.install(other)).getMessage();
    assertTrue(message.contains("/x/liby.so"), message);
    assertTrue(message.contains("is not the file that Tessera was built with"), message);
    try (Stream<Path> files = Files.walk(root)) {
      assertEquals(0, files.filter(Files::isRegularFile).count(), "nothing may be left");
    }
  }

  @Test
  void refusesAFolderThatOthersMayWriteTo() throws IOException {
    Files.createDirectory(root);
    Files.setPosixFilePermissions(root, PosixFilePermissions.fromString("rwxrwxrwx"));
    String message = assertThrows(IOException.class, this::open).getMessage();
    assertTrue(message.startsWith(root + " may be written by others (rwxrwxrwx"), message);
    assertTrue(message.contains("-Dtessera.cache.dir"), message);
  }

  @Test
  void refusesALinkInsteadOfAFolder() throws IOException {
    Files.createSymbolicLink(root, Files.createDirectory(temporary.resolve("elsewhere")));
    String message = assertThrows(IOException.class, this::open).getMessage();
    assertTrue(message.contains("is not a folder"), message);
  }

  @Test
  void refusesAFolderOfAnotherUser() throws IOException {
    Files.createDirectory(
        root, PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rwx------")));
    try {
      Files.setAttribute(root, "unix:uid", 65534);
    } catch (IOException e) {
      Assumptions.abort("only root can give a folder away: " + e);
    }
    String message = assertThrows(IOException.class, this::open).getMessage();
    assertTrue(message.contains("belongs to user"), message);
  }
}
