package dev.tessera.benchmarks.vq;

import dev.tessera.device.Stream;
import dev.tessera.device.Tensor;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/**
 * Fills tensors from arrays through native memory that is freed at once. A stream would keep what
 * it needs to copy from the heap, and the count of a task's memory would take that for the task's.
 */
final class NativeCopies {
  private NativeCopies() {}

  static void copy(Stream stream, float[] values, Tensor tensor) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment segment = arena.allocate(ValueLayout.JAVA_FLOAT, values.length);
      segment.copyFrom(MemorySegment.ofArray(values));
      tensor.copyFrom(stream, segment);
      stream.synchronize();
    }
  }
}
