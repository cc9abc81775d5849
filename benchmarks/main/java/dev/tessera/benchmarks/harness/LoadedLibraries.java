package dev.tessera.benchmarks.harness;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/** Shared libraries of this process, to see that it has one OpenMP runtime. */
public final class LoadedLibraries {
  private LoadedLibraries() {}

  /** Files mapped into this process whose name begins with {@code prefix}. */
  public static List<String> named(String prefix) {
    try (Stream<String> maps = Files.lines(Path.of("/proc/self/maps"))) {
      return maps.filter(line -> line.indexOf('/') >= 0)
          .map(line -> line.substring(line.indexOf('/')))
          .filter(file -> file.substring(file.lastIndexOf('/') + 1).startsWith(prefix))
          .distinct()
          .collect(Collectors.toList());
    } catch (IOException e) {
      return List.of();
    }
  }

  /** The OpenMP runtimes of this process, by file name: should be one. */
  public static String openMp() {
    return Stream.of("libgomp", "libomp", "libiomp")
        .flatMap(prefix -> named(prefix).stream())
        .map(file -> file.substring(file.lastIndexOf('/') + 1))
        .collect(Collectors.joining(", "));
  }
}
