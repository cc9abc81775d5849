package dev.tessera.benchmarks.harness;

import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * Keeps the thread that does a one-thread task on one processor, the last one that it may use, so
 * that it does not wander and its competitors meet the same processor. Work of several threads is
 * left to the scheduler: threads that a library starts would inherit the one processor.
 */
final class Pinning {
  private static final int MASK_BYTES = 128; // 1,024 processors, glibc's cpu_set_t

  private static byte @Nullable [] allowed; // at the first call

  private Pinning() {}

  /**
   * Pins the calling thread if it works alone, and lets it go otherwise; no more than an attempt.
   */
  static synchronized void forThreads(int threads) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment mask = arena.allocate(MASK_BYTES, 8);
      if (allowed == null) {
        if (call("sched_getaffinity", mask) < 0) {
          return;
        }
        allowed = mask.toArray(ValueLayout.JAVA_BYTE);
      }
      byte[] wanted = threads == 1 ? last(allowed) : allowed;
      mask.copyFrom(MemorySegment.ofArray(wanted));
      call("sched_setaffinity", mask);
    }
  }

  /** The mask with its highest bit alone. */
  static byte[] last(byte[] mask) {
    byte[] result = new byte[mask.length];
    for (int i = mask.length - 1; i >= 0; i--) {
      if (mask[i] != 0) {
        result[i] = (byte) Integer.highestOneBit(mask[i] & 0xFF);
        break;
      }
    }
    return result;
  }

  // int f(pid_t, size_t, cpu_set_t*); 0 is the calling thread. Not there: as if it had failed.
  @SuppressWarnings("restricted")
  private static int call(String name, MemorySegment mask) {
    Linker linker = Linker.nativeLinker();
    Optional<MemorySegment> function = linker.defaultLookup().find(name);
    if (function.isEmpty()) {
      return -1;
    }
    MethodHandle handle =
        linker.downcallHandle(
            function.get(),
            FunctionDescriptor.of(
                ValueLayout.JAVA_INT,
                ValueLayout.JAVA_INT,
                ValueLayout.JAVA_LONG,
                ValueLayout.ADDRESS));
    try {
      return (int) handle.invokeExact(0, (long) MASK_BYTES, mask);
    } catch (Throwable e) {
      return -1;
    }
  }
}
