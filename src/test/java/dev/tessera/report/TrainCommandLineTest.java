package dev.tessera.report;

import static dev.tessera.report.ReportSamples.info;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.tessera.model.VqVaeConfig;
import dev.tessera.train.RunFolder;
import dev.tessera.train.RunInfo;
import java.io.IOException;
import java.io.Writer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;

class TrainCommandLineTest {
  private static final RunFolder RUN = new RunFolder(Path.of("runs", "my run"));

  @Test
  void namedConfigurationsGoByNameAndOptions() {
    VqVaeConfig mnist = VqVaeConfig.named("mnist");
    assertEquals(
        "./tessera train mnist --seed 77 --threads 3", TrainCommandLine.of(RUN, mnist, info()));
    VqVaeConfig other = mnist.withTraining(mnist.training().withLength(0, 500).withBatch(64));
    assertEquals(
        "./tessera train mnist --steps 500 --batch 64 --seed 77 --threads 3",
        TrainCommandLine.of(RUN, other, info()));
    VqVaeConfig longer = mnist.withTraining(mnist.training().withLength(7, 0));
    assertEquals(
        "./tessera train mnist --epochs 7 --seed 77 --threads 3",
        TrainCommandLine.of(RUN, longer, info()));
  }

  @Test
  void whatOptionsCannotSayGoesByFile() {
    VqVaeConfig other = ReportSamples.config("mnist", 17);
    assertEquals(
        "./tessera train 'runs/my run/config.json' --seed 77 --threads 3",
        TrainCommandLine.of(RUN, other, info()));
    assertEquals(
        "./tessera train 'runs/my run/config.json' --seed 77 --threads 3",
        TrainCommandLine.of(RUN, ReportSamples.config("$(reboot)", 17), info()));
  }

  @Test
  void dataAndDeviceAreNamed() {
    RunInfo i = info("/data/it's", "digits");
    RunInfo gpu = new RunInfo(i.version(), 1, "cuda:0", 2, i.variance(), i.data());
    assertEquals(
        "./tessera train mnist --data '/data/it'\\''s' --device cuda:0 --seed 1 --threads 2",
        TrainCommandLine.of(RUN, VqVaeConfig.named("mnist"), gpu));
  }

  @Test
  void aShellReadsBackAnyArgument() throws IOException, InterruptedException {
    for (String word :
        List.of(
            "plain", "", "a b", "it's", "$HOME", "`id`", "*", "~", "a\nb", "\\", "#", "é", "\"")) {
      // By its input: an argument would be in the locale's encoding, which may lack the letters.
      Process shell = new ProcessBuilder("sh", "-s").start();
      try (Writer script = shell.outputWriter(StandardCharsets.UTF_8)) {
        script.write("printf %s " + TrainCommandLine.argument(word) + "\n");
      }
      String read = new String(shell.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
      assertEquals(0, shell.waitFor());
      assertEquals(word, read);
    }
    assertTrue(TrainCommandLine.argument("-rf").startsWith("./"));
  }
}
