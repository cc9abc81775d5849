package dev.tessera.bindings;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Loads {@code libtessera.so}, once in each class loader; where from, the package's documentation
 * says.
 */
public final class NativeLibrary {
  /** System property with the library's file, or the folder that it is in. */
  public static final String PATH_PROPERTY = "tessera.library.path";

  private static final String FILE = "libtessera.so";

  // All guarded by the class's lock, but `ready`, which spares later calls the lock.
  private static volatile boolean ready;
  private static volatile boolean layersReady;
  private static @Nullable Path file;
  private static @Nullable PackagedLibrary packaged;
  private static @Nullable String failure;

  private NativeLibrary() {}

  /**
   * Loads the library if it is not loaded yet. Must come before the first use of {@code tessera_h};
   * may be called from any thread, any number of times.
   *
   * @throws NativeLibraryException if it cannot be loaded or has another ABI version; the message
   *     lists every place tried, and further calls repeat it
   */
  public static void load() {
    if (!ready) {
      loadOnce();
    }
  }

  /**
   * Makes oneDNN and the layers available. Must come before the first convolution or matrix
   * product: {@code libtessera.so} looks for them once. Does nothing where the library did not come
   * from the jar.
   *
   * @throws NativeLibraryException if the library cannot be loaded, or the layers not be unpacked
   */
  public static void prepareLayers() {
    if (!layersReady) {
      prepareLayersOnce();
    }
  }

  /**
   * Makes the plug-in of a device available, if the class path has it. Must come before the device
   * is first asked for: {@code libtessera.so} looks for each plug-in once. Does nothing for other
   * devices, or where the library did not come from the jar.
   *
   * @param device its name: {@code cuda:0}
   * @throws NativeLibraryException if the library cannot be loaded, or the plug-in not be unpacked
   */
  public static synchronized void preparePlugin(String device) {
    load();
    if (packaged != null) {
      try {
        packaged.plugin(device);
      } catch (IOException e) {
        throw new NativeLibraryException(
            "the plug-in of device %s cannot be unpacked from the jar dev.tessera:tessera-cuda: %s"
                .formatted(device, describe(e)),
            e);
      }
    }
  }

  /**
   * Makes all plug-ins available: see {@link #preparePlugin}.
   *
   * @throws NativeLibraryException as {@link #preparePlugin} does
   */
  public static void preparePlugins() {
    for (String backend : PackagedPlugin.BACKENDS) {
      preparePlugin(backend);
    }
  }

  /**
   * A folder that only this user can write to, beside the unpacked libraries: for libraries of
   * others that have to lie in a file, too.
   *
   * @throws NativeLibraryException if it cannot be made or is not safe; the message says why
   */
  public static Path privateFolder(String name) {
    try {
      return PrivateFolder.open(PrivateFolder.open(LibraryCache.defaultRoot()).resolve(name));
    } catch (IOException e) {
      throw new NativeLibraryException(describe(e), e);
    }
  }

  /**
   * The file that the library was loaded from, or null if the system found it by itself.
   *
   * @throws NativeLibraryException as {@link #load} does
   */
  public static synchronized @Nullable Path file() {
    load();
    return file;
  }

  private static synchronized void loadOnce() {
    if (ready) {
      return;
    }
    if (failure != null) {
      throw new NativeLibraryException(failure);
    }
    try {
      IdleThreads.boundSpinning();
      file = loadFromSomewhere();
      checkAbi();
      ready = true;
    } catch (NativeLibraryException e) {
      failure = String.valueOf(e.getMessage());
      throw e;
    }
  }

  private static synchronized void prepareLayersOnce() {
    load();
    if (packaged != null && !layersReady) {
      try {
        packaged.layers();
      } catch (IOException e) {
        throw new NativeLibraryException(
            "the libraries of the layers cannot be unpacked: "
                + describe(e)
                + " (they are in the jars dev.tessera:tessera-native and org.bytedeco:dnnl,"
                + " classifier linux-x86_64)",
            e);
      }
    }
    layersReady = true;
  }

  private static @Nullable Path loadFromSomewhere() {
    String chosen = System.getProperty(PATH_PROPERTY);
    if (chosen != null && !chosen.isBlank()) {
      return loadChosen(Path.of(chosen).toAbsolutePath());
    }
    List<String> tried = new ArrayList<>(List.of("-D" + PATH_PROPERTY + ": not set"));
    try {
      PackagedLibrary library = PackagedLibrary.open(tessera_h.TS_ABI_VERSION());
      Path unpacked = library.main();
      load(unpacked);
      packaged = library;
      return unpacked;
    } catch (IOException | UnsatisfiedLinkError e) {
      tried.add("unpacking from the jar: " + describe(e));
    }
    try {
      loadByName();
      return null;
    } catch (UnsatisfiedLinkError e) {
      tried.add("System.loadLibrary: " + describe(e));
    }
    throw new NativeLibraryException(
        """
        Tessera's native library cannot be loaded. Tried:
          %s
        -D%s=FILE names another library, -D%s=FOLDER another place to unpack it to."""
            .formatted(String.join("\n  ", tried), PATH_PROPERTY, LibraryCache.PROPERTY));
  }

  private static Path loadChosen(Path path) {
    Path library = Files.isDirectory(path) ? path.resolve(FILE) : path;
    String why;
    if (!Files.exists(library)) {
      why = "no such file";
    } else {
      try {
        load(library);
        return library;
      } catch (UnsatisfiedLinkError e) {
        why = describe(e);
      }
    }
    throw new NativeLibraryException(
        "Tessera's native library cannot be loaded from %s, as -D%s says: %s. Nothing else was tried, because that property is set."
            .formatted(library, PATH_PROPERTY, why));
  }

  private static void checkAbi() {
    int found;
    try {
      found = tessera_h.ts_abi_version();
    } catch (LinkageError e) {
      throw new NativeLibraryException(
          "%s is no Tessera library: it has no ts_abi_version".formatted(where()), e);
    }
    int expected = tessera_h.TS_ABI_VERSION();
    if (found != expected) {
      throw new NativeLibraryException(
          "%s has ABI version %d, but these bindings need %d: take library and jar of one release"
              .formatted(where(), found, expected));
    }
  }

  private static String where() {
    return file == null ? "the library that System.loadLibrary found" : file.toString();
  }

  // Loaded by this class, so that it belongs to the class loader that tessera_h looks symbols up
  // in.
  @SuppressWarnings("restricted")
  private static void load(Path library) {
    System.load(library.toString());
  }

  @SuppressWarnings("restricted")
  private static void loadByName() {
    System.loadLibrary("tessera");
  }

  /** The message alone where it is a sentence; with the type where it is only a file's name. */
  private static String describe(Throwable e) {
    String message = e.getMessage();
    boolean sentence = e instanceof UnsatisfiedLinkError || e.getClass() == IOException.class;
    return sentence && message != null ? message : e.toString();
  }
}
