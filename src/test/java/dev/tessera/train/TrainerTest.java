package dev.tessera.train;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.tessera.data.DatasetSplit;
import dev.tessera.data.Datasets;
import dev.tessera.device.Device;
import dev.tessera.model.VqVaeConfig;
import dev.tessera.model.VqVaeConfig.QuantizerConfig;
import dev.tessera.model.VqVaeConfig.TrainingConfig;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.BooleanSupplier;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * Training on a few digits: it learns, repeats itself bit for bit, resumes, and allocates nothing.
 */
class TrainerTest {
  private static DatasetSplit digits;
  private static Device device;

  @TempDir private Path folder;

  @BeforeAll
  static void load() {
    DatasetSplit all = Datasets.embeddedDigits();
    digits =
        new DatasetSplit(
            "few", all.train().slice("few", 0, 500), all.heldOut().slice("held", 0, 50), null);
    device = Device.open("cpu");
  }

  @AfterAll
  static void close() {
    device.close();
  }

  private static final Trainer.Listener QUIET =
      new Trainer.Listener() {
        @Override
        public void step(long step, long total, double loss, double perplexity) {}

        @Override
        public void row(MetricsLog.Row row) {}
      };

  private static VqVaeConfig config(String name, int steps) {
    VqVaeConfig c = VqVaeConfig.named(name);
    QuantizerConfig q = c.quantizer();
    int initStep = q.initStep() > 0 ? 7 : 0;
    return new VqVaeConfig(
        c.name(),
        c.image(),
        c.network(),
        new QuantizerConfig(
            32, q.dim(), q.mode(), q.commitment(), q.decay(), q.epsilon(), q.init(), initStep),
        new TrainingConfig(
            24,
            0,
            steps,
            c.training().learningRate(),
            c.training().adamEpsilon(),
            c.training().epsilonHat(),
            c.training().dropRemainder(),
            4));
  }

  private Trainer trainer(String run, VqVaeConfig config, long seed) throws IOException {
    RunFolder runFolder = new RunFolder(folder.resolve(run));
    RunInfo info =
        new RunInfo(
            "test",
            seed,
            "cpu",
            2,
            digits.train().statistics().variance(),
            new RunInfo.DataInfo("embedded", "few", digits.train().fingerprint(), 500, 50));
    if (!Files.exists(runFolder.config())) {
      runFolder.create(config, info);
    }
    return new Trainer(config, info, runFolder, digits, device);
  }

  private byte[] train(String run, VqVaeConfig config, long seed) throws IOException {
    try (Trainer trainer = trainer(run, config, seed)) {
      trainer.run(QUIET, () -> false);
      assertEquals(config.training().steps(), trainer.step());
      return Files.readAllBytes(folder.resolve(run).resolve("model.safetensors"));
    }
  }

  @Test
  void theSameSeedGivesTheSameBytesAndAnotherSeedOthers() throws IOException {
    VqVaeConfig config = config("mnist", 18);
    byte[] first = train("first", config, 5);
    assertArrayEquals(first, train("second", config, 5));
    assertFalse(Arrays.equals(first, train("third", config, 6)));
  }

  @Test
  void aRunStoppedAtAnyStepAndResumedGivesTheSameBytes() throws IOException {
    for (String name : new String[] {"mnist", "keras-mnist"}) {
      VqVaeConfig config = config(name, 30);
      byte[] whole = train("whole-" + name, config, 9);
      MetricsLog wholeLog = MetricsLog.read(folder.resolve("whole-" + name).resolve("metrics.csv"));
      for (int stopAt : new int[] {1, 7, 8, 21, 29}) { // 7: where the codes begin from data
        String run = "stopped-" + name + stopAt;
        try (Trainer trainer = trainer(run, config, 9)) {
          BooleanSupplier stop = () -> trainer.step() >= stopAt;
          trainer.run(QUIET, stop);
          assertEquals(stopAt, trainer.step());
        }
        try (Trainer trainer = trainer(run, config, 9)) {
          trainer.restore();
          assertEquals(stopAt, trainer.step());
          trainer.run(QUIET, () -> false);
        }
        Path runFolder = folder.resolve(run);
        assertArrayEquals(
            whole,
            Files.readAllBytes(runFolder.resolve("model.safetensors")),
            name + " stopped at " + stopAt);
        MetricsLog log = MetricsLog.read(runFolder.resolve("metrics.csv"));
        assertEquals(wholeLog.rows().size(), log.rows().size());
        for (int i = 0; i < log.rows().size(); i++) {
          assertEquals(wholeLog.rows().get(i).loss(), log.rows().get(i).loss());
          assertEquals(wholeLog.rows().get(i).heldOut(), log.rows().get(i).heldOut());
        }
      }
    }
  }

  @Test
  void theNetworksLearn() throws IOException {
    for (String name : new String[] {"mnist", "keras-mnist"}) {
      train("learn-" + name, config(name, 120), 3);
      MetricsLog log = MetricsLog.read(folder.resolve("learn-" + name).resolve("metrics.csv"));
      double first = log.rows().getFirst().recon();
      double last = log.rows().getLast().recon();
      assertTrue(last < 0.5 * first, name + ": recon went from " + first + " to " + last);
      assertTrue(last < 0.45, name + ": recon is " + last);
    }
  }

  /** Under 64 KiB of heap a step in all threads, the loader's included, and nothing native. */
  @Test
  void aSteadyStepAllocatesNextToNothing() throws IOException {
    com.sun.management.ThreadMXBean threads =
        (com.sun.management.ThreadMXBean) ManagementFactory.getThreadMXBean();
    VqVaeConfig base = config("mnist", 60);
    TrainingConfig t = base.training();
    VqVaeConfig config =
        base.withTraining(
            new TrainingConfig(
                t.batch(), 0, 60, t.learningRate(), t.adamEpsilon(), t.epsilonHat(), true, 1000));
    AtomicLong heap = new AtomicLong();
    AtomicLong allocations = new AtomicLong();
    try (Trainer trainer = trainer("steady", config, 1)) {
      trainer.run(
          new Trainer.Listener() {
            @Override
            public void step(long step, long total, double loss, double perplexity) {
              if (step == 20) {
                allocations.set(device.memoryUse().allocations());
                heap.set(threads.getTotalThreadAllocatedBytes());
              } else if (step == 59) {
                heap.set((threads.getTotalThreadAllocatedBytes() - heap.get()) / 39);
                allocations.set(device.memoryUse().allocations() - allocations.get());
              }
            }

            @Override
            public void row(MetricsLog.Row row) {}
          },
          () -> false);
    }
    System.out.println("heap allocated a steady training step: " + heap.get() + " bytes");
    assertEquals(0, allocations.get(), "native allocations in 39 steady steps");
    assertTrue(heap.get() < 64 * 1024, heap.get() + " bytes of heap a step");
    assertTrue(heap.get() > 0, "the measurement saw nothing");
  }

  @Test
  void aDivergedRunSaysSo() throws IOException {
    VqVaeConfig base = config("mnist", 60);
    TrainingConfig t = base.training();
    VqVaeConfig wild =
        base.withTraining(
            new TrainingConfig(t.batch(), 0, 400, 10, t.adamEpsilon(), true, true, 1000));
    try (Trainer trainer = trainer("wild", wild, 1)) {
      // Adam's steps are as large as the learning rate: 10 a step overflows a network of six
      // layers.
      DivergedException e =
          assertThrows(DivergedException.class, () -> trainer.run(QUIET, () -> false));
      assertTrue(String.valueOf(e.getMessage()).contains("diverged at step"), e.getMessage());
    }
  }

  @Test
  void imagesOfAnotherSizeAreRefused() {
    VqVaeConfig cifar = VqVaeConfig.named("sonnet-cifar10");
    IllegalArgumentException e =
        assertThrows(IllegalArgumentException.class, () -> trainer("cifar", cifar, 1).close());
    assertTrue(String.valueOf(e.getMessage()).contains("32x32x3"), e.getMessage());
  }
}
