package dev.tessera.bindings;

import java.io.IOException;
import java.io.InputStream;
import java.util.Properties;
import org.jspecify.annotations.Nullable;

/**
 * What the native build recorded about the libraries that belong together: {@code
 * manifest.properties} in the jar of the native module, and one for each plug-in in the jar of the
 * cuda module.
 */
final class LibraryManifest {
  static final String RESOURCE =
      "/dev/tessera/native/" + Platform.PACKAGED + "/manifest.properties";

  /**
   * One library.
   *
   * @param name file name: {@code libdnnl.so.3}
   * @param resource where it lies on the class path
   * @param size in bytes
   * @param sha256 64 lower-case hexadecimal digits
   */
  record Entry(String name, String resource, long size, String sha256) {}

  private final String resource;
  private final Properties properties;

  private LibraryManifest(String resource, Properties properties) {
    this.resource = resource;
    this.properties = properties;
  }

  /**
   * Reads a manifest on the class path, or gives null if there is none.
   *
   * @throws IOException if it cannot be read
   */
  static @Nullable LibraryManifest read(String resource) throws IOException {
    try (InputStream stream = LibraryManifest.class.getResourceAsStream(resource)) {
      if (stream == null) {
        return null;
      }
      Properties properties = new Properties();
      properties.load(stream);
      return new LibraryManifest(resource, properties);
    }
  }

  /** The ABI version of {@code libtessera.so}. */
  int abi() throws IOException {
    return (int) number("abi");
  }

  /** The entry of a library. */
  Entry entry(String name) throws IOException {
    String sha256 = text(name + ".sha256");
    if (!sha256.matches("[0-9a-f]{64}")) {
      throw new IOException(resource + ": " + name + ".sha256 is no SHA-256: " + sha256);
    }
    return new Entry(name, text(name + ".resource"), number(name + ".size"), sha256);
  }

  private String text(String key) throws IOException {
    String value = properties.getProperty(key);
    if (value == null) {
      throw new IOException(resource + " has no " + key);
    }
    return value.strip();
  }

  private long number(String key) throws IOException {
    String value = text(key);
    try {
      return Long.parseLong(value);
    } catch (NumberFormatException e) {
      throw new IOException(resource + ": " + key + " is no number: " + value, e);
    }
  }
}
