package dev.tessera.bindings;

import dev.tessera.bindings.LibraryManifest.Entry;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Path;
import org.jspecify.annotations.Nullable;

/** The libraries in Tessera's jar and in oneDNN's, unpacked into the cache when asked for. */
final class PackagedLibrary {
  private static final String MAIN = "libtessera.so";
  private static final String OPENMP = "libgomp.so.1";
  private static final String[] LAYERS = {"libdnnl.so.3", "libtessera_cpu_nn.so"};

  private final LibraryManifest manifest;
  private final LibraryCache cache;

  private PackagedLibrary(LibraryManifest manifest, LibraryCache cache) {
    this.manifest = manifest;
    this.cache = cache;
  }

  /**
   * Opens the packaged libraries.
   *
   * @throws IOException if the class path has none for this platform, they have another ABI version
   *     than {@code abi}, or the cache is not usable
   */
  static PackagedLibrary open(int abi) throws IOException {
    if (!Platform.name().equals(Platform.PACKAGED)) {
      throw new IOException(
          "the jar has libraries for %s only, and this is %s"
              .formatted(Platform.PACKAGED, Platform.name()));
    }
    LibraryManifest manifest = LibraryManifest.read();
    if (manifest == null) {
      throw new IOException(
          LibraryManifest.RESOURCE
              + " is not on the class path: dev.tessera:tessera-native is missing");
    }
    if (manifest.abi() != abi) {
      throw new IOException(
          "the libraries on the class path have ABI version %d, but these bindings need %d: take the jars of one release"
              .formatted(manifest.abi(), abi));
    }
    Path root = LibraryCache.defaultRoot();
    return new PackagedLibrary(
        manifest, LibraryCache.open(root, manifest.entry(MAIN), PackagedLibrary::resource));
  }

  /** {@code libtessera.so} as a file, with the libgomp that it and oneDNN share beside it. */
  Path main() throws IOException {
    Entry openmp = manifest.entry(OPENMP);
    // Who leaves oneDNN's jar out, for quantisation alone, has the system's libgomp.
    if (PackagedLibrary.class.getResource(openmp.resource()) != null) {
      cache.install(openmp);
    }
    return cache.install(manifest.entry(MAIN));
  }

  /**
   * Puts oneDNN and the layers beside {@code libtessera.so}, which opens them at the first layer.
   */
  void layers() throws IOException {
    for (String name : LAYERS) {
      cache.install(manifest.entry(name));
    }
  }

  private static @Nullable InputStream resource(Entry entry) {
    return PackagedLibrary.class.getResourceAsStream(entry.resource());
  }
}
