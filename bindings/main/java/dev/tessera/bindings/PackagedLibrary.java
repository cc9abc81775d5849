package dev.tessera.bindings;

import dev.tessera.bindings.LibraryManifest.Entry;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Path;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** The libraries in Tessera's jars and in oneDNN's, unpacked into the cache when asked for. */
final class PackagedLibrary {
  private static final String MAIN = "libtessera.so";
  private static final String OPENMP = "libgomp.so.1";
  private static final String[] LAYERS = {"libdnnl.so.3", "libtessera_cpu_nn.so"};

  private final LibraryManifest manifest;
  private final List<PackagedPlugin> plugins;
  private final LibraryCache cache;

  private PackagedLibrary(
      LibraryManifest manifest, List<PackagedPlugin> plugins, LibraryCache cache) {
    this.manifest = manifest;
    this.plugins = plugins;
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
    LibraryManifest manifest = LibraryManifest.read(LibraryManifest.RESOURCE);
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
    List<PackagedPlugin> plugins = PackagedPlugin.find();
    // libtessera.so opens plug-ins that lie beside it: so each set of them has a folder of its own.
    StringBuilder folder = new StringBuilder(start(manifest.entry(MAIN), 16));
    for (PackagedPlugin plugin : plugins) {
      folder.append('-').append(start(plugin.entry(), 8));
    }
    return new PackagedLibrary(
        manifest,
        plugins,
        LibraryCache.open(
            LibraryCache.defaultRoot(), folder.toString(), PackagedLibrary::resource));
  }

  private static String start(Entry entry, int digits) {
    return entry.sha256().substring(0, digits);
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

  /**
   * Puts the plug-in of a device beside {@code libtessera.so}, which opens it when the device is
   * asked for. Does nothing if the class path has none.
   *
   * @throws IOException if it has another ABI version, or cannot be unpacked
   */
  void plugin(String device) throws IOException {
    for (PackagedPlugin plugin : plugins) {
      if (!plugin.serves(device)) {
        continue;
      }
      if (plugin.abi() != manifest.abi()) {
        throw new IOException(
            "%s has ABI version %d, and libtessera.so %d: take the jars of one release"
                .formatted(plugin.entry().name(), plugin.abi(), manifest.abi()));
      }
      cache.install(plugin.entry());
    }
  }

  private static @Nullable InputStream resource(Entry entry) {
    return PackagedLibrary.class.getResourceAsStream(entry.resource());
  }
}
