package dev.tessera.bindings;

import java.util.Locale;

/** The operating system and processor that this JVM runs on. */
final class Platform {
  /** The one platform that the jar carries libraries for. */
  static final String PACKAGED = "linux-x86_64";

  private Platform() {}

  /** {@code linux-x86_64}, or this platform's name in the same style. */
  static String name() {
    return name(System.getProperty("os.name", "unknown"), System.getProperty("os.arch", "unknown"));
  }

  static String name(String system, String processor) {
    String os = system.toLowerCase(Locale.ROOT).replace(' ', '-');
    String arch = processor.equals("amd64") ? "x86_64" : processor.toLowerCase(Locale.ROOT);
    return os + "-" + arch;
  }
}
