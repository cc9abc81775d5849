package dev.tessera.bindings;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/** Loads the library in a JVM of its own and prints what came of it; see {@link Processes}. */
final class LoadLibrary {
  private LoadLibrary() {}

  /** What the library says to a device. */
  private static String open(String device) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment error = ts_error.allocate(arena);
      int status =
          tessera_h.ts_device_open(
              arena.allocateFrom(device), arena.allocate(ValueLayout.ADDRESS), error);
      return status + " " + ts_error.message(error).getString(0);
    }
  }

  public static void main(String[] args) {
    try {
      NativeLibrary.load();
      if (Boolean.getBoolean("layers")) {
        NativeLibrary.prepareLayers();
      }
      String device = System.getProperty("device");
      if (device != null) {
        NativeLibrary.preparePlugin(device);
        System.out.println(open(device));
      }
      System.out.println("loaded " + NativeLibrary.file() + " abi " + tessera_h.ts_abi_version());
    } catch (NativeLibraryException e) {
      System.out.println("failed " + e.getMessage());
      try {
        NativeLibrary.load();
        System.out.println("and then loaded");
      } catch (NativeLibraryException again) {
        System.out.println(
            e.getMessage().equals(again.getMessage()) ? "again the same" : "again " + again);
      }
    }
  }
}
