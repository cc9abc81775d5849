package dev.tessera.benchmarks.harness;

import java.io.BufferedReader;
import java.io.BufferedWriter;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.OutputStreamWriter;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.SequencedMap;

/** The parent's side of a {@link TaskServer}: a library at work in a process of its own. */
public final class TaskProcess implements AutoCloseable {
  private final String name;
  private final Process process;
  private final BufferedWriter requests;
  private final BufferedReader answers;

  /**
   * How to start a library's process.
   *
   * @param name for the report
   * @param classPath of the JVM
   * @param mainClass that calls {@link TaskServer#serve}
   * @param jvmOptions beside those that all have
   * @param environment variables to set
   */
  public record Command(
      String name,
      String classPath,
      String mainClass,
      List<String> jvmOptions,
      Map<String, String> environment) {
    /** With variables of the environment added. */
    public Command with(Map<String, String> more) {
      Map<String, String> all = new LinkedHashMap<>(environment);
      all.putAll(more);
      return new Command(name, classPath, mainClass, jvmOptions, all);
    }
  }

  /** Starts the process, on this JVM's java and with its {@code tessera.*} properties. */
  public TaskProcess(Command command) throws IOException {
    this.name = command.name();
    List<String> line = new ArrayList<>();
    line.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
    line.add("-XX:+UseSerialGC");
    line.add("--enable-native-access=ALL-UNNAMED");
    for (String key : System.getProperties().stringPropertyNames()) {
      if (key.startsWith("tessera.")) {
        line.add("-D" + key + "=" + System.getProperty(key));
      }
    }
    line.addAll(command.jvmOptions());
    line.addAll(List.of("-cp", command.classPath(), command.mainClass()));
    ProcessBuilder builder = new ProcessBuilder(line);
    builder.environment().putAll(command.environment());
    builder.redirectError(ProcessBuilder.Redirect.INHERIT);
    this.process = builder.start();
    this.requests =
        new BufferedWriter(
            new OutputStreamWriter(process.getOutputStream(), StandardCharsets.UTF_8));
    this.answers =
        new BufferedReader(new InputStreamReader(process.getInputStream(), StandardCharsets.UTF_8));
  }

  /** Starts a process whose {@link #extraBytes} can be asked for; it is slower for that. */
  public static TaskProcess countingAllocations(Command command) throws IOException {
    return new TaskProcess(command.with(Allocations.environment()));
  }

  /** The library's name. */
  public String name() {
    return name;
  }

  /** Versions and settings. */
  public SequencedMap<String, String> describe() {
    SequencedMap<String, String> facts = new LinkedHashMap<>();
    for (String fact : ask("describe").split("\t", -1)) {
      int equals = fact.indexOf('=');
      facts.put(fact.substring(0, equals), fact.substring(equals + 1));
    }
    return facts;
  }

  /** Has the library write the file that both open a task from. */
  public void writeInputs(String task, Path inputs) {
    ask("inputs", task, inputs.toString());
  }

  /** Opens a task, closing the one before; says how it is done. */
  public String open(String task, Path inputs, int threads) {
    return ask("open", task, inputs.toString(), Integer.toString(threads));
  }

  /** Has the open task write its outputs. */
  public void writeOutputs(Path file) {
    ask("outputs", file.toString());
  }

  /** Does one step untimed and then {@code steps} timed ones; milliseconds of each. */
  public double[] run(int steps) {
    return run(steps, 1);
  }

  /**
   * Takes {@code samples} times, each of {@code steps} steps in a row, after one that is not timed;
   * milliseconds of a step in each.
   */
  public double[] run(int samples, int steps) {
    return TaskServer.nanos(ask("run", Integer.toString(samples), Integer.toString(steps)))
        .mapToDouble(n -> n / 1e6 / steps)
        .toArray();
  }

  /**
   * Opens a task, does a few steps and closes it again: the bytes that it held at most, beside its
   * inputs, outputs and state. The process must have been started by {@link #countingAllocations}.
   */
  public long extraBytes(String task, Path inputs) {
    return Long.parseLong(ask("memory", task, inputs.toString()));
  }

  /** Closes the open task. */
  public void closeTask() {
    ask("close");
  }

  /** CPU time that the process has used. */
  public Duration cpuTime() {
    return process.info().totalCpuDuration().orElse(Duration.ZERO);
  }

  private String ask(String... request) {
    try {
      requests.write(String.join("\t", request));
      requests.newLine();
      requests.flush();
      for (String line = answers.readLine(); line != null; line = answers.readLine()) {
        if (line.startsWith(TaskServer.ANSWER)) {
          return line.substring(TaskServer.ANSWER.length()).strip();
        }
        if (line.startsWith(TaskServer.FAILURE)) {
          throw new IllegalStateException(
              name + ": " + line.substring(TaskServer.FAILURE.length()).strip());
        }
        System.err.println(name + ": " + line);
      }
    } catch (IOException e) {
      throw new UncheckedIOException(name + ": the process ended", e);
    }
    throw new IllegalStateException(name + ": the process ended");
  }

  /** Ends the process, by the end of its input. */
  @Override
  public void close() {
    try {
      requests.close();
    } catch (IOException e) {
      process.destroy(); // it has ended, or does not read
    }
    try {
      process.waitFor();
    } catch (InterruptedException e) {
      process.destroy();
      Thread.currentThread().interrupt();
    }
  }
}
