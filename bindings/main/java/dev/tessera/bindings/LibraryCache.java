package dev.tessera.bindings;

import dev.tessera.bindings.LibraryManifest.Entry;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.security.DigestInputStream;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/**
 * Libraries of the jar as files, since the system's loader reads nothing else.
 *
 * <p>Libraries that find each other by {@code $ORIGIN} must lie in one folder, and another build
 * must not be mixed in. So each {@code libtessera.so} has its folder, named after its hash (and
 * those of the plug-ins that its class path has), with hard links to files that are named after
 * theirs: oneDNN's 93 MB are there once, however many builds use them.
 */
final class LibraryCache {
  static final String PROPERTY = "tessera.cache.dir";

  /** Opens a library that the class path carries. */
  interface Source {
    /** A stream of the entry's bytes, or null if the class path does not have it. */
    @Nullable InputStream open(Entry entry) throws IOException;
  }

  private final Path objects;
  private final Path folder;
  private final Source source;

  private LibraryCache(Path objects, Path folder, Source source) {
    this.objects = objects;
    this.folder = folder;
    this.source = source;
  }

  /** Where the cache lies unless somebody chose another place. */
  static Path defaultRoot() {
    String chosen = System.getProperty(PROPERTY);
    if (chosen != null && !chosen.isBlank()) {
      return Path.of(chosen).toAbsolutePath();
    }
    String xdg = System.getenv("XDG_CACHE_HOME");
    Path base =
        xdg != null && xdg.startsWith("/")
            ? Path.of(xdg)
            : Path.of(System.getProperty("user.home", "."), ".cache");
    return base.resolve("tessera").toAbsolutePath();
  }

  /**
   * Opens the folder of one build below {@code root}.
   *
   * @param build names the folder of what is loaded together
   * @throws IOException if a folder cannot be made or is not safe
   */
  static LibraryCache open(Path root, String build, Source source) throws IOException {
    PrivateFolder.open(root);
    Path objects = PrivateFolder.open(root.resolve("files"));
    Path folder = PrivateFolder.open(root.resolve(build));
    return new LibraryCache(objects, folder, source);
  }

  /**
   * The entry as a file whose size and hash have been checked just now; unpacked first where it is
   * missing or differs.
   *
   * @throws IOException if it cannot be unpacked, or if the class path's copy differs from the
   *     manifest too
   */
  Path install(Entry entry) throws IOException {
    Path target = folder.resolve(entry.name());
    if (matches(target, entry)) {
      return target;
    }
    Path object = objects.resolve(entry.sha256());
    if (!matches(object, entry)) {
      unpack(entry, object);
    }
    Path link = temporary(target);
    try {
      try {
        Files.createLink(link, object);
      } catch (UnsupportedOperationException | IOException e) {
        Files.copy(object, link); // A file system without hard links.
      }
      Files.move(link, target, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
    } finally {
      Files.deleteIfExists(link); // rename(2) leaves both names of one file as they are.
    }
    if (!matches(target, entry)) {
      throw new IOException(target + " changed while it was unpacked");
    }
    return target;
  }

  private void unpack(Entry entry, Path object) throws IOException {
    Path file = temporary(object);
    try (InputStream stream = source.open(entry)) {
      if (stream == null) {
        throw new IOException(entry.resource() + " is not on the class path");
      }
      MessageDigest digest = sha256();
      long size;
      try (OutputStream out = Files.newOutputStream(file)) {
        size = new DigestInputStream(stream, digest).transferTo(out);
      }
      String found = HexFormat.of().formatHex(digest.digest());
      if (size != entry.size() || !found.equals(entry.sha256())) {
        throw new IOException(
            "%s on the class path is not the file that Tessera was built with: %d bytes, SHA-256 %s; expected %d, %s"
                .formatted(entry.resource(), size, found, entry.size(), entry.sha256()));
      }
      Files.move(file, object, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
    } finally {
      Files.deleteIfExists(file);
    }
  }

  private static Path temporary(Path path) {
    return path.resolveSibling(path.getFileName() + "." + UUID.randomUUID() + ".tmp");
  }

  private static boolean matches(Path file, Entry entry) throws IOException {
    if (!Files.isRegularFile(file, LinkOption.NOFOLLOW_LINKS) || Files.size(file) != entry.size()) {
      return false;
    }
    MessageDigest digest = sha256();
    byte[] buffer = new byte[1 << 16];
    try (InputStream stream = Files.newInputStream(file)) {
      for (int n; (n = stream.read(buffer)) >= 0; ) {
        digest.update(buffer, 0, n);
      }
    }
    return HexFormat.of().formatHex(digest.digest()).equals(entry.sha256());
  }

  private static MessageDigest sha256() {
    try {
      return MessageDigest.getInstance("SHA-256");
    } catch (NoSuchAlgorithmException e) {
      throw new AssertionError("every JDK has SHA-256", e);
    }
  }
}
