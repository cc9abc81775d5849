package dev.tessera.benchmarks.harness;

import java.io.File;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.jspecify.annotations.Nullable;

/**
 * Where the module {@code benchmarks/peers} was built.
 *
 * @param folder its target folder
 * @param faiss the library that calls FAISS, or null to do without
 */
public record PeersFolder(Path folder, @Nullable Path faiss) {
  /** With FAISS, if it was installed where the module was built. */
  public static PeersFolder of(Path folder) {
    Path library =
        folder.resolve("native").resolve("libtessera_benchmark_faiss.so").toAbsolutePath();
    return new PeersFolder(folder, Files.exists(library) ? library : null);
  }

  /** The same without FAISS. */
  public PeersFolder withoutFaiss() {
    return new PeersFolder(folder, null);
  }

  /**
   * The class path of the peers' processes.
   *
   * @throws IllegalArgumentException if they are not built there
   */
  public String classPath() throws IOException {
    Path file = folder.resolve("classpath");
    if (!Files.exists(file)) {
      throw new IllegalArgumentException(
          "the peers are not built: there is no "
              + file
              + "; build them by mvn -Ppeers -pl benchmarks/peers -am package -DskipTests");
    }
    return folder.resolve("classes") + File.pathSeparator + Files.readString(file).strip();
  }
}
