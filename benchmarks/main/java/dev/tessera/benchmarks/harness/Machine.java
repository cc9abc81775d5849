package dev.tessera.benchmarks.harness;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Collectors;

/**
 * What a figure was measured on.
 *
 * @param cpu the processor's name for itself
 * @param model numbers that tell processors apart whose names do not
 * @param cpus that this process may use
 * @param mhz clock when it was asked, or 0 if the system does not say
 * @param instructionSets those that matter to kernels
 * @param memoryMib memory of the machine
 * @param kernel name and version of the operating system
 * @param java version of the JVM
 * @param loadAverage of the last minute, before the measurement began
 */
public record Machine(
    String cpu,
    String model,
    int cpus,
    double mhz,
    List<String> instructionSets,
    long memoryMib,
    String kernel,
    String java,
    double loadAverage) {
  private static final List<String> SETS =
      List.of(
          "avx2",
          "fma",
          "avx512f",
          "avx512bw",
          "avx512vl",
          "avx_vnni",
          "avx512_vnni",
          "avx512_bf16",
          "avx512_fp16",
          "amx_tile",
          "amx_int8",
          "amx_bf16");

  /** Describes this machine. */
  public static Machine here() {
    List<String> cpu = lines("/proc/cpuinfo");
    List<String> flags = Arrays.asList(field(cpu, "flags").split(" ", -1));
    return new Machine(
        field(cpu, "model name"),
        "family %s, model %s, stepping %s"
            .formatted(field(cpu, "cpu family"), field(cpu, "model"), field(cpu, "stepping")),
        Runtime.getRuntime().availableProcessors(),
        number(field(cpu, "cpu MHz")),
        SETS.stream().filter(flags::contains).collect(Collectors.toList()),
        (long) number(field(lines("/proc/meminfo"), "MemTotal").replace(" kB", "")) / 1024,
        System.getProperty("os.name") + " " + System.getProperty("os.version"),
        System.getProperty("java.vm.name") + " " + Runtime.version(),
        load());
  }

  /** Whether figures of both may stand side by side. */
  public boolean sameAs(Machine other) {
    return cpu.equals(other.cpu)
        && model.equals(other.model)
        && cpus == other.cpus
        && instructionSets.equals(other.instructionSets);
  }

  private static double load() {
    List<String> lines = lines("/proc/loadavg");
    return lines.isEmpty() ? 0 : number(lines.getFirst().split(" ", -1)[0]);
  }

  private static String field(List<String> lines, String name) {
    for (String line : lines) {
      int colon = line.indexOf(':');
      if (colon > 0 && line.substring(0, colon).strip().equals(name)) {
        return line.substring(colon + 1).strip();
      }
    }
    return "";
  }

  private static double number(String text) {
    try {
      return Double.parseDouble(text);
    } catch (NumberFormatException e) {
      return 0;
    }
  }

  private static List<String> lines(String file) {
    try {
      return Files.readAllLines(Path.of(file));
    } catch (IOException e) {
      return List.of(); // not Linux, or not allowed
    }
  }
}
