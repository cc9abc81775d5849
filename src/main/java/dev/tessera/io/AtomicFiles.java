package dev.tessera.io;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.util.concurrent.atomic.AtomicLong;

/**
 * Writes files so that a crash at any moment leaves the old content or the new, never a mixture:
 * the content goes to a temporary name in the same folder, is synced to the disk, renamed over the
 * target, and then the folder is synced.
 */
public final class AtomicFiles {
  private static final String SUFFIX = ".tessera-tmp";
  private static final AtomicLong COUNTER = new AtomicLong();

  private AtomicFiles() {}

  /** Writes a file's content to an empty channel, which the caller opens, syncs and closes. */
  @FunctionalInterface
  public interface ContentWriter {
    void writeTo(FileChannel channel) throws IOException;
  }

  /**
   * Replaces {@code target} by what {@code content} writes. If that throws, the target is untouched
   * and the temporary file is gone.
   *
   * @throws IOException if the folder does not exist or the disk refuses
   */
  public static void write(Path target, ContentWriter content) throws IOException {
    Path folder = folderOf(target);
    Path temporary = folder.resolve(temporaryName(target));
    try {
      try (FileChannel channel =
          FileChannel.open(temporary, StandardOpenOption.WRITE, StandardOpenOption.CREATE_NEW)) {
        content.writeTo(channel);
        channel.force(true);
      }
      Files.move(
          temporary, target, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
    } catch (Throwable failure) {
      try {
        Files.deleteIfExists(temporary);
      } catch (IOException alsoFailed) {
        failure.addSuppressed(alsoFailed);
      }
      throw failure;
    }
    syncFolder(folder);
  }

  /** Replaces {@code target} by {@code bytes}. */
  public static void write(Path target, byte[] bytes) throws IOException {
    write(target, channel -> writeFully(channel, ByteBuffer.wrap(bytes)));
  }

  /** Replaces {@code target} by {@code text} in UTF-8. */
  public static void write(Path target, String text) throws IOException {
    write(target, text.getBytes(StandardCharsets.UTF_8));
  }

  /** Deletes what writers that were killed have left in {@code folder} (not in its subfolders). */
  public static void deleteLeftovers(Path folder) throws IOException {
    try (DirectoryStream<Path> leftovers = Files.newDirectoryStream(folder, ".*" + SUFFIX)) {
      for (Path leftover : leftovers) {
        Files.deleteIfExists(leftover);
      }
    }
  }

  /** Writes all that remains in {@code bytes}; a single write may take only a part. */
  static void writeFully(FileChannel channel, ByteBuffer bytes) throws IOException {
    while (bytes.hasRemaining()) {
      channel.write(bytes);
    }
  }

  private static Path folderOf(Path target) {
    Path parent = target.toAbsolutePath().getParent();
    if (parent == null || target.getFileName() == null) {
      throw new IllegalArgumentException(target + " does not name a file");
    }
    return parent;
  }

  private static String temporaryName(Path target) {
    long process = ProcessHandle.current().pid();
    return "." + target.getFileName() + "." + process + "-" + COUNTER.incrementAndGet() + SUFFIX;
  }

  /** Makes the rename durable. POSIX opens folders for that; Windows neither can nor needs to. */
  private static void syncFolder(Path folder) throws IOException {
    if (folder.getFileSystem().supportedFileAttributeViews().contains("posix")) {
      try (FileChannel channel = FileChannel.open(folder, StandardOpenOption.READ)) {
        channel.force(true);
      }
    }
  }
}
