package dev.tessera.io;

import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Path;

/** Bulk reads and writes between files and segments, and the small checks all readers share. */
final class FileReads {
  /** What is read at once: more would only grow the JDK's cached copies for buffers on the heap. */
  private static final long CHUNK = 1 << 20;

  private FileReads() {}

  /**
   * Fills {@code target} from byte {@code offset} on.
   *
   * @throws MalformedFileException if the file ends before (it shrank while it was read)
   */
  static void read(Path file, FileChannel channel, long offset, MemorySegment target)
      throws IOException {
    for (long done = 0; done < target.byteSize(); ) {
      long length = Math.min(CHUNK, target.byteSize() - done);
      ByteBuffer buffer = target.asSlice(done, length).asByteBuffer();
      int read = channel.read(buffer, offset + done);
      if (read < 0) {
        throw new MalformedFileException(
            file, offset + done, "the file ends; " + (target.byteSize() - done) + " bytes missing");
      }
      done += read;
    }
  }

  /** Appends {@code source}, whatever array or memory it lies in, to {@code channel}. */
  static void write(FileChannel channel, MemorySegment source) throws IOException {
    byte[] staging = new byte[source.isNative() ? 0 : (int) Math.min(CHUNK, source.byteSize())];
    for (long done = 0; done < source.byteSize(); done += CHUNK) {
      MemorySegment part = source.asSlice(done, Math.min(CHUNK, source.byteSize() - done));
      if (!source.isNative()) {
        part = MemorySegment.ofArray(staging).asSlice(0, part.byteSize()).copyFrom(part);
      }
      AtomicFiles.writeFully(channel, part.asByteBuffer());
    }
  }
}
