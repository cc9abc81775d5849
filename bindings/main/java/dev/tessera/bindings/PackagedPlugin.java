package dev.tessera.bindings;

import dev.tessera.bindings.LibraryManifest.Entry;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;

/**
 * The library of a backend that the class path carries beside {@code libtessera.so}: from the jar
 * {@code dev.tessera:tessera-cuda}, which has one or both of them, each with a manifest of its own.
 *
 * @param backend its devices are named so, or begin with it and a colon
 * @param abi the ABI version that it was built for
 * @param entry the library
 */
record PackagedPlugin(String backend, int abi, Entry entry) {
  /** All backends whose library can be packaged. */
  static final List<String> BACKENDS = List.of("cuda", "cuda-emulated");

  private static final String FOLDER = "/dev/tessera/native/" + Platform.PACKAGED + "/";

  /**
   * All that the class path has.
   *
   * @throws IOException if a manifest cannot be read
   */
  static List<PackagedPlugin> find() throws IOException {
    List<PackagedPlugin> found = new ArrayList<>();
    for (String backend : BACKENDS) {
      String library = "libtessera_" + backend.replace('-', '_');
      LibraryManifest manifest = LibraryManifest.read(FOLDER + library + ".properties");
      if (manifest != null) {
        found.add(new PackagedPlugin(backend, manifest.abi(), manifest.entry(library + ".so")));
      }
    }
    return found;
  }

  /** Whether a device of this name is one of its backend's. */
  boolean serves(String device) {
    return device.equals(backend) || device.startsWith(backend + ":");
  }
}
