package dev.tessera.device;

import dev.tessera.bindings.NativeLibrary;
import dev.tessera.bindings.tessera_h;
import dev.tessera.bindings.ts_error;
import dev.tessera.bindings.ts_fault;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/** The one place where a native status becomes an exception. */
final class Native {
  private Native() {}

  /** Loads the library, once; throws with what was tried if it cannot be. */
  static void load() {
    NativeLibrary.load();
  }

  /** A call without a stream: reports into an error of its own. */
  interface Call {
    int run(Arena arena, MemorySegment error);
  }

  /** Runs a call without a stream, and throws what it reports. */
  static void check(Call call) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment error = ts_error.allocate(arena);
      int status = call.run(arena, error);
      if (status != tessera_h.TS_OK()) {
        throw exception(status, message(error), -1);
      }
    }
  }

  /** The exception for a failed call of a stream, whose message and fault it reads. */
  static RuntimeException streamException(MemorySegment stream, int status) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment error = ts_error.allocate(arena);
      tessera_h.ts_stream_error(stream, error);
      long row = -1;
      if (status == tessera_h.TS_DATA_FAULT()) {
        MemorySegment fault = ts_fault.allocate(arena);
        ts_fault.struct_size(fault, (int) ts_fault.sizeof());
        tessera_h.ts_stream_fault(stream, fault);
        row = ts_fault.row(fault);
      }
      return exception(status, message(error), row);
    }
  }

  /** The string in a fixed array of chars. */
  static String string(MemorySegment chars) {
    long end = 0;
    while (end < chars.byteSize() && chars.get(ValueLayout.JAVA_BYTE, end) != 0) {
      end++;
    }
    byte[] bytes = chars.asSlice(0, end).toArray(ValueLayout.JAVA_BYTE);
    return new String(bytes, java.nio.charset.StandardCharsets.UTF_8);
  }

  private static String message(MemorySegment error) {
    return string(ts_error.message(error));
  }

  private static RuntimeException exception(int status, String message, long row) {
    if (status == tessera_h.TS_INVALID_ARGUMENT()) {
      return new IllegalArgumentException(message);
    }
    if (status == tessera_h.TS_UNAVAILABLE()) {
      return new DeviceUnavailableException(message);
    }
    if (status == tessera_h.TS_BUSY()) {
      return new IllegalStateException(message);
    }
    if (status == tessera_h.TS_DATA_FAULT()) {
      return new DataFaultException(message, row);
    }
    return new TesseraException(message);
  }
}
