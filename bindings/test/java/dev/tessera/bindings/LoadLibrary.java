package dev.tessera.bindings;

/** Loads the library in a JVM of its own and prints what came of it; see {@link Processes}. */
final class LoadLibrary {
  private LoadLibrary() {}

  public static void main(String[] args) {
    try {
      NativeLibrary.load();
      if (Boolean.getBoolean("layers")) {
        NativeLibrary.prepareLayers();
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
