package dev.tessera.benchmarks.harness;

import dev.tessera.io.Safetensors;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Map;
import java.util.stream.Collectors;
import java.util.stream.LongStream;
import org.jspecify.annotations.Nullable;

/**
 * The child's side: reads one request a line from standard input and answers it with one line on
 * standard output. Fields are separated by tabs. An answer begins with {@link #ANSWER} or {@link
 * #FAILURE}; other lines are what a library prints, and are passed on.
 *
 * <pre>
 * describe                      name=value ...
 * inputs NAME FILE              writes the file
 * open   NAME FILE THREADS      how the task is done
 * outputs FILE                  writes the task's outputs
 * run    SAMPLES STEPS          nanoseconds of each sample of some steps, after a step that is not timed
 * memory NAME FILE              bytes that the task takes on one thread beyond inputs, outputs and state
 * close
 * </pre>
 */
public final class TaskServer {
  static final String ANSWER = "@answer";
  static final String FAILURE = "@failure";

  private static final int COUNTED_STEPS = 3;

  private final TaskFactory factory;
  private @Nullable Task task;

  private TaskServer(TaskFactory factory) {
    this.factory = factory;
  }

  /** Serves until standard input ends. */
  public static void serve(TaskFactory factory) throws IOException {
    new TaskServer(factory).loop();
  }

  private void loop() throws IOException {
    PrintStream out = new PrintStream(System.out, true, StandardCharsets.UTF_8);
    BufferedReader in =
        new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
    for (String line = in.readLine(); line != null; line = in.readLine()) {
      out.println(answer(line));
    }
    close();
  }

  // A failure of any kind is the answer: the parent reports it and stops.
  @SuppressWarnings("CatchingUnchecked")
  private String answer(String line) {
    try {
      return ANSWER + "\t" + handle(line.split("\t", -1));
    } catch (Exception | LinkageError e) {
      e.printStackTrace();
      return FAILURE + "\t" + String.valueOf(e).replaceAll("\\s+", " ");
    }
  }

  private String handle(String[] request) throws IOException {
    return switch (request[0]) {
      case "describe" -> describe(factory.describe());
      case "inputs" -> {
        factory.writeInputs(request[1], Path.of(request[2]));
        yield "";
      }
      case "open" -> {
        close();
        int threads = Integer.parseInt(request[3]);
        Pinning.forThreads(threads);
        task = factory.open(request[1], Path.of(request[2]), threads);
        yield task.form();
      }
      case "outputs" -> {
        Safetensors.write(Path.of(request[1]), open().outputs(), Map.of());
        yield "";
      }
      case "run" -> run(open(), Integer.parseInt(request[1]), Integer.parseInt(request[2]));
      case "memory" -> Long.toString(extraBytes(request[1], Path.of(request[2])));
      case "close" -> {
        close();
        yield "";
      }
      default -> throw new IllegalArgumentException("no request: " + request[0]);
    };
  }

  // The first step finds the caches full of the other library's data, and is left out.
  private static String run(Task task, int samples, int steps) {
    long[] nanos = new long[samples];
    task.step();
    for (int i = 0; i < samples; i++) {
      long begin = System.nanoTime();
      for (int j = 0; j < steps; j++) {
        task.step();
      }
      nanos[i] = System.nanoTime() - begin;
    }
    return Arrays.stream(nanos).mapToObj(Long::toString).collect(Collectors.joining("\t"));
  }

  // A first run of the task fills what libraries keep for ever: code, tables, thread pools. What
  // counts is a steady step.
  private long extraBytes(String name, Path inputs) throws IOException {
    close();
    try (Task first = factory.open(name, inputs, 1)) {
      steps(first);
    }
    Allocations count = Allocations.start();
    try (Task again = factory.open(name, inputs, 1)) {
      again.step(); // arenas grow once
      count.mark();
      steps(again);
      return count.peak() - again.neededBytes();
    }
  }

  private static void steps(Task task) {
    for (int i = 0; i < COUNTED_STEPS; i++) {
      task.step();
    }
  }

  static LongStream nanos(String answer) {
    return Arrays.stream(answer.split("\t", -1)).mapToLong(Long::parseLong);
  }

  private static String describe(Map<String, String> facts) {
    return facts.entrySet().stream()
        .map(e -> e.getKey() + "=" + e.getValue().replaceAll("\\s+", " "))
        .collect(Collectors.joining("\t"));
  }

  private Task open() {
    if (task == null) {
      throw new IllegalStateException("no task is open");
    }
    return task;
  }

  private void close() {
    if (task != null) {
      task.close();
      task = null;
    }
  }
}
