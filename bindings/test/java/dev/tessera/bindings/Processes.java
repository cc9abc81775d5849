package dev.tessera.bindings;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/** Other programs that the tests run: the C compiler, nm, and more JVMs. */
final class Processes {
  private Processes() {}

  /** Runs a command and gives what it printed; its failure is a failure of the test. */
  static String run(String... command) throws IOException, InterruptedException {
    Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
    String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    if (process.waitFor() != 0) {
      throw new IOException(String.join(" ", command) + " failed:\n" + output);
    }
    return output;
  }

  /** Compiles C source into a shared library. */
  static Path compileLibrary(Path library, String source) throws IOException, InterruptedException {
    Path file = library.resolveSibling(library.getFileName() + ".c");
    Files.writeString(file, source);
    run("cc", "-shared", "-fPIC", "-o", library.toString(), file.toString());
    return library;
  }

  /** Runs {@link LoadLibrary} in a JVM of its own, since a library is loaded once in each. */
  static Process loadLibrary(String classPath, List<String> options) throws IOException {
    List<String> command = new ArrayList<>();
    command.add(Path.of(System.getProperty("java.home", ""), "bin", "java").toString());
    command.addAll(
        List.of(
            "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "--enable-native-access=ALL-UNNAMED"));
    command.addAll(options);
    command.addAll(List.of("-cp", classPath, LoadLibrary.class.getName()));
    return new ProcessBuilder(command).redirectErrorStream(true).start();
  }

  /** What {@link LoadLibrary} printed. */
  static String output(Process process) throws IOException, InterruptedException {
    String text = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    process.waitFor();
    return text;
  }

  static String classPath() {
    return System.getProperty("java.class.path", "");
  }

  /** The class path without the entries whose path contains one of the words. */
  static String classPathWithout(String... words) {
    return String.join(
        ":",
        Arrays.stream(classPath().split(":", -1))
            .filter(entry -> Arrays.stream(words).noneMatch(entry::contains))
            .toList());
  }
}
