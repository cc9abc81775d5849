package dev.tessera.cli;

import dev.tessera.bench.EncoderVectors;
import dev.tessera.bench.FileVectors;
import dev.tessera.bench.GaussianVectors;
import dev.tessera.bench.VectorSource;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Locale;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;

/** {@code --data}, {@code --codebook} and {@code --seed}: where a benchmark's vectors come from. */
final class BenchData {
  private static final int DEFAULT_CODES = 512;
  private static final int DEFAULT_LENGTH = 64;

  @Option(
      names = "--data",
      paramLabel = "gaussian|trained|FILE.npy",
      description =
          "Rows and codes. gaussian: random. trained: outputs of an encoder trained on the embedded"
              + " digits, and its codes (k-means of others if --k is not 512); trains it the first"
              + " time. FILE.npy: f32 rows [rows, D]. Default: gaussian.")
  private String data = "gaussian";

  @Option(
      names = "--codebook",
      paramLabel = "FILE.npy",
      description =
          "f32 codes [K, D] for --data FILE.npy. Default: k-means of rows that are not searched.")
  private @Nullable Path codebook;

  @Option(
      names = "--seed",
      paramLabel = "N",
      description = "Of random vectors and choices. Default: 1.")
  private long seed = 1;

  /** K: what was given, or the codebook's, or the default. */
  int codes(int given) throws IOException {
    if (codebook != null && !isFile()) {
      throw new IllegalArgumentException("--codebook goes with --data FILE.npy");
    }
    if (given != 0) {
      return given;
    }
    return codebook == null ? DEFAULT_CODES : FileVectors.count(codebook);
  }

  /** D: what was given, or the file's, or the default. */
  int length(int given) throws IOException {
    if (given != 0) {
      return given;
    }
    return isFile() ? FileVectors.dim(Path.of(data)) : DEFAULT_LENGTH;
  }

  /** The vectors' source; {@code log} takes lines for people. */
  VectorSource source(Consumer<String> log) {
    if (isFile()) {
      return new FileVectors(Path.of(data), codebook, seed);
    }
    return switch (data) {
      case "gaussian" -> new GaussianVectors(seed);
      case "trained" -> EncoderVectors.inUserCache(Version.number(), seed, log);
      default ->
          throw new IllegalArgumentException(
              "--data must be gaussian, trained or a .npy file, not " + data);
    };
  }

  private boolean isFile() {
    return data.toLowerCase(Locale.ROOT).endsWith(".npy");
  }
}
