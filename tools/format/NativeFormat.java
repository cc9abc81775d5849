package format;

import java.io.File;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;

/**
 * C, C++ and CUDA sources, by clang-format 14 with the repository's {@code .clang-format}. Another
 * version breaks lines differently, so without that one nothing is checked, and a line says so.
 */
final class NativeFormat {
  private static final String VERSION = "14";

  private NativeFormat() {}

  /** Files that are not formatted; they are rewritten if {@code write}. */
  static List<Path> differing(List<Path> files, boolean write)
      throws IOException, InterruptedException {
    Optional<String> tool = find();
    if (tool.isEmpty() || files.isEmpty()) {
      if (tool.isEmpty()) {
        System.out.println(
            "formatting: no clang-format " + VERSION + " here, native sources not checked");
      }
      return List.of();
    }
    List<Path> off = new ArrayList<>();
    for (Path file : files) {
      byte[] before = Files.readAllBytes(file);
      byte[] after = run(tool.get(), file.toString());
      if (!Arrays.equals(before, after)) {
        off.add(file);
        if (write) {
          Files.write(file, after);
        }
      }
    }
    return off;
  }

  private static Optional<String> find() throws IOException, InterruptedException {
    for (String name : List.of("clang-format-" + VERSION, "clang-format")) {
      for (String folder : System.getenv().getOrDefault("PATH", "").split(File.pathSeparator)) {
        Path candidate = Path.of(folder, name);
        if (Files.isExecutable(candidate)) {
          String version =
              new String(run(candidate.toString(), "--version"), StandardCharsets.UTF_8);
          if (version.contains("version " + VERSION + ".")) {
            return Optional.of(candidate.toString());
          }
        }
      }
    }
    return Optional.empty();
  }

  private static byte[] run(String... command) throws IOException, InterruptedException {
    Process process =
        new ProcessBuilder(command).redirectError(ProcessBuilder.Redirect.INHERIT).start();
    byte[] output = process.getInputStream().readAllBytes();
    if (process.waitFor() != 0) {
      throw new IOException(String.join(" ", command) + " failed");
    }
    return output;
  }
}
