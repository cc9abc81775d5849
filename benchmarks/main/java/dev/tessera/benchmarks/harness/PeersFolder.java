package dev.tessera.benchmarks.harness;

import java.io.File;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

/**
 * Where the module {@code benchmarks/peers} was built.
 *
 * @param folder its target folder
 */
public record PeersFolder(Path folder) {
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

  /** The library that calls FAISS; not there where FAISS is not installed. */
  public Path faiss() {
    return folder.resolve("native").resolve("libtessera_benchmark_faiss.so").toAbsolutePath();
  }
}
