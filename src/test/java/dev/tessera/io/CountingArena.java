package dev.tessera.io;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;

/** Counts what is allocated from it, so that a test sees how much a file made its reader take. */
final class CountingArena implements Arena {
  private final Arena arena = Arena.ofAuto();
  private long bytes;

  @Override
  public MemorySegment allocate(long byteSize, long byteAlignment) {
    bytes += byteSize;
    return arena.allocate(byteSize, byteAlignment);
  }

  @Override
  public MemorySegment.Scope scope() {
    return arena.scope();
  }

  @Override
  public void close() {}

  long bytes() {
    return bytes;
  }
}
