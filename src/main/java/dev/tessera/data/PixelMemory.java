package dev.tessera.data;

import dev.tessera.io.MalformedFileException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;

/**
 * Memory outside the heap for the pixels of a data set; freed when nothing refers to it any more.
 */
final class PixelMemory {
  private PixelMemory() {}

  /**
   * Allocates {@code bytes} for what {@code source} is known to hold.
   *
   * @throws MalformedFileException if the JVM may not take as much
   */
  static MemorySegment allocate(String source, long bytes) throws MalformedFileException {
    try {
      return Arena.ofAuto().allocate(bytes, 64);
    } catch (OutOfMemoryError e) {
      throw new MalformedFileException(
          source,
          "holds "
              + (bytes >> 20)
              + " MiB of pixels, more than this JVM may take; raise -XX:MaxDirectMemorySize",
          e);
    }
  }
}
