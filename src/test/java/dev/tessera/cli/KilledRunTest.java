package dev.tessera.cli;

import static dev.tessera.cli.Outcome.tessera;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.tessera.data.Philox;
import dev.tessera.io.Json;
import dev.tessera.model.VqVaeConfig;
import dev.tessera.model.VqVaeConfig.QuantizerConfig;
import dev.tessera.model.VqVaeConfig.TrainingConfig;
import java.io.BufferedReader;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Runs that are ended from outside: by SIGKILL at a random moment, and by Ctrl-C. */
class KilledRunTest {
  @TempDir private Path folder;

  private Path config(int steps) throws IOException {
    VqVaeConfig c = VqVaeConfig.named("mnist");
    QuantizerConfig q = c.quantizer();
    VqVaeConfig small =
        new VqVaeConfig(
            "small",
            c.image(),
            c.network(),
            new QuantizerConfig(
                q.codes(), q.dim(), q.mode(), q.commitment(), q.decay(), q.epsilon(), q.init(), 5),
            new TrainingConfig(16, 0, steps, 1e-3, 1e-7, true, false, 2));
    Path file = folder.resolve("small-" + steps + ".json");
    Json.write(file, small);
    return file;
  }

  private static Process start(Object... arguments) throws IOException {
    List<String> command = new ArrayList<>();
    // A build in the background of a script ignores SIGINT, and its children would with it.
    command.addAll(List.of("env", "--default-signal=INT"));
    command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
    command.add("--enable-native-access=ALL-UNNAMED");
    String library = System.getProperty("tessera.library.path");
    if (library != null) {
      command.add("-Dtessera.library.path=" + library);
    }
    command.addAll(List.of("-cp", System.getProperty("java.class.path"), Main.class.getName()));
    for (Object argument : arguments) {
      command.add(argument.toString());
    }
    return new ProcessBuilder(command).redirectErrorStream(true).start();
  }

  private static void run(Object... arguments) {
    Outcome outcome = tessera(arguments);
    assertEquals(0, outcome.code(), outcome.toString());
  }

  /** Reads until the run has logged {@code rows} rows. */
  private static void awaitRows(BufferedReader output, int rows) throws IOException {
    StringBuilder seen = new StringBuilder();
    int count = 0;
    while (count < rows) {
      String line = output.readLine();
      assertTrue(line != null, "the run ended early: " + seen);
      seen.append(line).append('\n');
      count += line.startsWith("step ") ? 1 : 0;
    }
  }

  @Test
  void aKilledAndResumedRunHasTheSameBytes() throws Exception {
    Path config = config(60);
    Path whole = folder.resolve("whole");
    run("train", config, "--out", whole, "--seed", 4, "--threads", 2);
    byte[] expected = Files.readAllBytes(whole.resolve("model.safetensors"));
    long seed = System.nanoTime();
    Philox random = new Philox(seed, 0x7100, 0);
    for (int round = 0; round < 3; round++) {
      Path killed = folder.resolve("killed" + round);
      Process process = start("train", config, "--out", killed, "--seed", 4, "--threads", 2);
      try (BufferedReader output = process.inputReader()) {
        awaitRows(output, 1 + random.nextInt(25));
        Thread.sleep(random.nextInt(20));
        process.destroyForcibly(); // SIGKILL
        assertTrue(process.waitFor(30, TimeUnit.SECONDS));
      }
      Files.delete(killed.resolve("trained_on.npy")); // as if killed before it was written
      run("train", "--resume", killed);
      assertArrayEquals(
          Files.readAllBytes(whole.resolve("trained_on.npy")),
          Files.readAllBytes(killed.resolve("trained_on.npy")));
      assertArrayEquals(
          expected,
          Files.readAllBytes(killed.resolve("model.safetensors")),
          "round " + round + " of seed " + seed);
      assertEquals(
          Files.readAllLines(whole.resolve("metrics.csv")).size(),
          Files.readAllLines(killed.resolve("metrics.csv")).size());
    }
  }

  @Test
  void ctrlCSavesAndSaysHowToResume() throws Exception {
    Path out = folder.resolve("interrupted");
    Process process = start("train", config(100_000), "--out", out, "--threads", 1);
    try (BufferedReader output = process.inputReader()) {
      awaitRows(output, 3);
      assertEquals(0, new ProcessBuilder("kill", "-INT", "" + process.pid()).start().waitFor());
      String rest = String.join("\n", output.lines().toList());
      assertTrue(process.waitFor(60, TimeUnit.SECONDS));
      assertTrue(rest.contains("go on with: ./tessera train --resume " + out), rest);
      assertFalse(rest.contains("Exception"), rest);
      assertEquals(130, process.exitValue());
    }
    int steps = 2 * Files.readAllLines(out.resolve("metrics.csv")).size();
    run("train", "--resume", out, "--steps", steps + 10);
  }
}
