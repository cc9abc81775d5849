package dev.tessera.benchmarks.harness;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.tessera.io.Safetensors;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A parent and real child processes. */
class TaskProcessTest {
  private static final Path NONE = Path.of("none");

  @TempDir private Path folder;

  @Test
  void childDescribesItself() throws IOException {
    try (TaskProcess child = start()) {
      assertEquals(Map.of("version", "1 2", "formula", "a=b"), child.describe());
    }
  }

  @Test
  void outputsComeByFile() throws IOException {
    try (TaskProcess child = start();
        Arena arena = Arena.ofConfined()) {
      child.open("3", NONE, 1);
      child.writeOutputs(folder.resolve("outputs"));
      double[] millis =
          Safetensors.read(folder.resolve("outputs"), arena).tensors().get("millis").toDoubles();
      assertEquals(3, millis[0]);
    }
  }

  @Test
  void slowerTaskHasTheRatioOfItsTimes() throws IOException {
    try (TaskProcess ours = start();
        TaskProcess theirs = start()) {
      assertEquals("sleeps with 1 threads", ours.open("4", NONE, 1));
      theirs.open("16", NONE, 1);
      Contest.Samples samples = Contest.measure(List.of(ours, theirs), new RoundPlan(0, 4, 3, 0));
      assertEquals(12, samples.times(0).count());
      assertEquals(12, samples.times(1).count());
      assertEquals(4, samples.ratio(1).count());
      // A sleep is never shorter than asked for, and on a busy machine may be much longer.
      assertTrue(samples.times(0).min() >= 4, samples::toString);
      assertTrue(samples.times(1).min() >= 16, samples::toString);
    }
  }

  @Test
  void failureOfTheChildIsThrownHereWithItsMessage() throws IOException {
    try (TaskProcess child = start()) {
      IllegalStateException e =
          assertThrows(IllegalStateException.class, () -> child.open("no number", NONE, 1));
      assertTrue(String.valueOf(e.getMessage()).contains("no number"), e::toString);
      e = assertThrows(IllegalStateException.class, () -> child.run(1));
      assertTrue(String.valueOf(e.getMessage()).contains("no task is open"), e::toString);
    }
  }

  @Test
  void contestGivesEachTaskItsRatioToTheFirst() throws IOException {
    try (TaskProcess ours = start();
        TaskProcess second = start();
        TaskProcess third = start()) {
      ours.open("4", NONE, 1);
      second.open("8", NONE, 1);
      third.open("40", NONE, 1);
      Contest.Samples samples =
          Contest.measure(List.of(ours, second, third), new RoundPlan(0, 4, 2, 0));
      assertEquals(3, samples.milliseconds().size());
      assertEquals(8, samples.milliseconds().get(2).length);
      assertEquals(4, samples.ratios().get(2).length);
      for (int round = 0; round < 4; round++) {
        assertEquals(1, samples.ratios().getFirst()[round]);
      }
      assertTrue(Summary.of(samples.milliseconds().get(2)).min() >= 40, samples::toString);
      // A busy machine stretches all of them: only the order is sure.
      double most = Summary.of(samples.ratios().get(2)).max();
      assertTrue(most > 1, samples::toString);
    }
  }

  @Test
  void aSampleOfSeveralStepsIsTheTimeOfOne() throws IOException {
    try (TaskProcess child = start()) {
      child.open("5", NONE, 1);
      double[] millis = child.run(5, 10);
      assertEquals(5, millis.length);
      // The least of five: on a busy machine single samples may be much longer.
      double least = Summary.of(millis).min();
      assertTrue(least >= 5 && least < 50, () -> String.valueOf(least));
    }
  }

  @Test
  void extraBytesAreWhatAStepHoldsBeyondWhatItNeeds() throws IOException {
    try (TaskProcess child =
        TaskProcess.countingAllocations(
            new TaskProcess.Command(
                "echo",
                System.getProperty("java.class.path"),
                EchoTasks.class.getName(),
                List.of(),
                Map.of()))) {
      long extra = child.extraBytes("1", NONE);
      long least = EchoTasks.STEP_BYTES - EchoTasks.NEEDED_BYTES;
      assertTrue(extra >= least && extra < least + (1 << 18), () -> String.valueOf(extra));
    }
  }

  @Test
  void bytesAreNotCountedInAProcessThatWasNotStartedForIt() throws IOException {
    try (TaskProcess child = start()) {
      IllegalStateException e =
          assertThrows(IllegalStateException.class, () -> child.extraBytes("1", NONE));
      assertTrue(String.valueOf(e.getMessage()).contains("LD_PRELOAD"), e::toString);
    }
  }

  private static TaskProcess start() throws IOException {
    return new TaskProcess(
        new TaskProcess.Command(
            "echo",
            System.getProperty("java.class.path"),
            EchoTasks.class.getName(),
            List.of(),
            Map.of()));
  }
}
