package dev.tessera.bench.sweep;

import dev.tessera.io.Json;
import java.io.BufferedReader;
import java.io.BufferedWriter;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.OutputStreamWriter;
import java.lang.management.ManagementFactory;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** The parent's side of a {@link FamilyServer}. */
final class FamilyProcess implements AutoCloseable {
  private static final String VARIABLE = "TESSERA_KERNEL";

  private final String name;
  private final Process process;
  private final BufferedWriter requests;
  private final BufferedReader answers;

  /**
   * Starts a process on this JVM's java, class path and options.
   *
   * @param family what to force; null for what the library chooses by itself
   */
  FamilyProcess(@Nullable String family, int threads) throws IOException {
    this.name = family == null ? "chosen" : family;
    List<String> line = new ArrayList<>();
    line.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
    for (String option : ManagementFactory.getRuntimeMXBean().getInputArguments()) {
      if (!option.startsWith("-agent") && !option.startsWith("-javaagent")) { // a port is taken
        line.add(option);
      }
    }
    line.addAll(
        List.of(
            "-cp",
            System.getProperty("java.class.path"),
            FamilyServer.class.getName(),
            Integer.toString(threads)));
    ProcessBuilder builder = new ProcessBuilder(line);
    if (family == null) {
      builder.environment().remove(VARIABLE);
    } else {
      builder.environment().put(VARIABLE, family);
    }
    builder.redirectError(ProcessBuilder.Redirect.INHERIT);
    this.process = builder.start();
    this.requests =
        new BufferedWriter(
            new OutputStreamWriter(process.getOutputStream(), StandardCharsets.UTF_8));
    this.answers =
        new BufferedReader(new InputStreamReader(process.getInputStream(), StandardCharsets.UTF_8));
  }

  /** The family's name. */
  String name() {
    return name;
  }

  /** Searches {@code rows} for {@code codes} and writes the answer to {@code out}. */
  FamilyServer.Opened open(Path rows, Path codes, Path out) throws IOException {
    FamilyServer.Opened opened =
        ask(FamilyServer.Opened.class, "open", rows.toString(), codes.toString(), out.toString());
    require(opened.failure());
    return opened;
  }

  /** Measures the open search. */
  FamilyServer.Measured measure() throws IOException {
    return measured("measure");
  }

  /** Prepares the matrix product of the open search's shape, and measures it. */
  FamilyServer.Measured openProduct() throws IOException {
    return measured("sgemm");
  }

  /** Measures that product. */
  FamilyServer.Measured product() throws IOException {
    return measured("product");
  }

  private FamilyServer.Measured measured(String request) throws IOException {
    FamilyServer.Measured measured = ask(FamilyServer.Measured.class, request);
    require(measured.failure());
    return measured;
  }

  private void require(@Nullable String failure) {
    if (failure != null) {
      throw new IllegalStateException("the process of family " + name + ": " + failure);
    }
  }

  private <T> T ask(Class<T> type, String... request) throws IOException {
    requests.write(String.join("\t", request));
    requests.newLine();
    requests.flush();
    String answer = answers.readLine();
    if (answer == null) {
      throw new IOException("the process of family " + name + " ended");
    }
    return Json.parse("family " + name, answer.getBytes(StandardCharsets.UTF_8), type);
  }

  /** Ends the process, by the end of its input. */
  @Override
  public void close() {
    try {
      requests.close();
      process.waitFor();
    } catch (IOException e) {
      process.destroy(); // it has ended, or does not read
    } catch (InterruptedException e) {
      process.destroy();
      Thread.currentThread().interrupt();
    }
  }
}
