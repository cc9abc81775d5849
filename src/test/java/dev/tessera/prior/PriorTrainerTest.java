package dev.tessera.prior;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.tessera.data.Philox;
import dev.tessera.device.Device;
import dev.tessera.io.Json;
import dev.tessera.io.MalformedFileException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.function.BooleanSupplier;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Training on codes that follow a rule: it learns it, resumes bit for bit, stops early. */
class PriorTrainerTest {
  private static final PriorConfig.Grid GRID = new PriorConfig.Grid(4, 4, 8, 2);
  private static Device device;

  @TempDir private Path folder;

  @BeforeAll
  static void open() {
    device = Device.open("cpu");
  }

  @AfterAll
  static void close() {
    device.close();
  }

  private static final PriorTrainer.Listener QUIET =
      new PriorTrainer.Listener() {
        @Override
        public void step(long step, long total, double nats) {}

        @Override
        public void row(PriorMetrics.Row row) {}
      };

  /**
   * Each code is the one before it, plus 1 in class 0 or plus 3 in class 1, but one in eight is
   * anything: log 8 nats for the first code, and about 0.63 for the others.
   */
  private static Codes codes(int count, long seed) {
    Philox random = new Philox(seed, 0x7004, 0);
    int[] values = new int[count * GRID.positions()];
    int[] labels = new int[count];
    for (int i = 0; i < count; i++) {
      labels[i] = random.nextInt(2);
      int code = random.nextInt(8);
      for (int t = 0; t < GRID.positions(); t++) {
        values[i * GRID.positions() + t] = code;
        code = random.nextInt(8) == 0 ? random.nextInt(8) : (code + 1 + 2 * labels[i]) % 8;
      }
    }
    return new Codes(count, GRID.positions(), values, labels);
  }

  private static PriorConfig config(int epochs, int patience, double rate) {
    return new PriorConfig(
        "test",
        PriorConfig.Kind.PIXELCNN,
        GRID,
        new PriorConfig.PixelCnn(true, 16, 2, 5, 3, 16),
        new PriorConfig.Training(32, epochs, rate, true, 1e-8, false, patience));
  }

  private PriorTrainer trainer(String name, PriorConfig config, CodeFile.Split split)
      throws IOException {
    PriorFolder where = new PriorFolder(folder.resolve(name));
    PriorInfo info = new PriorInfo("test", 5, "cpu", 2, "test", 784);
    if (!Files.exists(where.config())) {
      where.create(config, info);
    }
    return new PriorTrainer(config, info, where, split, device);
  }

  private static CodeFile.Split split(int count) {
    return new CodeFile.Split(codes(count, 1), codes(200, 2));
  }

  @Test
  void theRuleIsLearned() throws IOException {
    try (PriorTrainer trainer = trainer("rule", config(12, 0, 5e-3), split(2000))) {
      trainer.run(QUIET, () -> false);
      assertTrue(trainer.isFinished());
      List<PriorMetrics.Row> rows = trainer.metrics().rows();
      assertEquals(12, rows.size());
      // A rule that is followed 7/8 + 1/64 of the time, and one code that nothing tells.
      double follow = 7 / 8.0 + 1 / 64.0;
      double least = -follow * Math.log(follow) - 7 / 64.0 * Math.log(1 / 64.0);
      double nats = (Math.log(8) + 15 * least) / 16;
      assertEquals(nats, trainer.bestNats(), 0.06);
      PriorMetrics.Row last = rows.getLast();
      assertEquals(last.heldOutNats() * 16 / Math.log(2), last.heldOutBits(), 1e-3);
      assertEquals(last.heldOutBits() / 784, last.heldOutBitsPerDim(), 1e-5);
      assertTrue(trainer.bestNats() < codes(2000, 1).positionEntropy(8) / 16 - 0.5);
    }
  }

  private byte[] finished(String name, BooleanSupplier stop) throws IOException {
    PriorConfig config = config(2, 0, 3e-3);
    CodeFile.Split split = split(130); // 5 steps an epoch, the last one smaller
    try (PriorTrainer trainer = trainer(name, config, split)) {
      trainer.run(QUIET, stop);
    }
    for (int i = 0; i < 20; i++) {
      try (PriorTrainer trainer = trainer(name, config, split)) {
        trainer.restore();
        if (trainer.isFinished()) {
          return Files.readAllBytes(folder.resolve(name).resolve("checkpoint.safetensors"));
        }
        trainer.run(QUIET, stop);
      }
    }
    throw new AssertionError("never finished");
  }

  @Test
  void aStoppedTrainingEndsInTheSameBytes() throws IOException {
    byte[] whole = finished("whole", () -> false);
    int[] asked = {0};
    byte[] parts = finished("parts", () -> asked[0]++ % 4 == 3);
    assertArrayEquals(whole, parts);
    assertArrayEquals(
        Files.readAllBytes(folder.resolve("whole").resolve("best.safetensors")),
        Files.readAllBytes(folder.resolve("parts").resolve("best.safetensors")));
    List<PriorMetrics.Row> a =
        PriorMetrics.read(folder.resolve("whole").resolve("metrics.csv")).rows();
    List<PriorMetrics.Row> b =
        PriorMetrics.read(folder.resolve("parts").resolve("metrics.csv")).rows();
    assertEquals(2, a.size());
    for (int i = 0; i < 2; i++) {
      assertEquals(a.get(i).heldOutNats(), b.get(i).heldOutNats());
      assertEquals(a.get(i).nats(), b.get(i).nats());
    }
  }

  @Test
  void trainingStopsWhenTheHeldOutLossNoLongerFalls() throws IOException {
    // Few grids and a large rate: it soon learns them by heart.
    try (PriorTrainer trainer = trainer("early", config(400, 3, 2e-2), split(64))) {
      trainer.run(QUIET, () -> false);
      assertTrue(trainer.isFinished());
      assertTrue(trainer.step() < trainer.totalSteps(), "it went on to the end");
      List<PriorMetrics.Row> rows = trainer.metrics().rows();
      double best = rows.stream().mapToDouble(PriorMetrics.Row::heldOutNats).min().orElseThrow();
      assertEquals(best, rows.get(rows.size() - 4).heldOutNats());
      // The weights that are kept are the best ones, not the last.
      PriorCheckpoint.restoreWeights(
          folder.resolve("early").resolve("best.safetensors"), trainer.stream(), trainer.prior());
      assertEquals(best, trainer.heldOutNats(), 1e-5);
    }
  }

  @Test
  void codesComeBackFromTheirFile() throws IOException {
    Path file = folder.resolve("codes.safetensors");
    CodeFile.Split split = split(30);
    CodeFile.write(file, "a", GRID, split);
    Optional<CodeFile.Split> back = CodeFile.read(file, "a", GRID);
    assertArrayEquals(split.train().values(), back.orElseThrow().train().values());
    assertArrayEquals(split.heldOut().labels(), back.orElseThrow().heldOut().labels());
    assertTrue(CodeFile.read(file, "b", GRID).isEmpty(), "codes of another model");
    assertTrue(CodeFile.read(folder.resolve("no"), "a", GRID).isEmpty());
    PriorConfig.Grid fewer = new PriorConfig.Grid(4, 4, 7, 0);
    assertThrows(MalformedFileException.class, () -> CodeFile.read(file, "a", fewer));
    PriorConfig.Grid larger = new PriorConfig.Grid(5, 4, 8, 0);
    assertThrows(MalformedFileException.class, () -> CodeFile.read(file, "a", larger));
  }

  @Test
  void floorsOfTheBits() {
    // Position 0 is always 3; position 1 is 0 or 1, as often; the others have four codes each.
    int[] values = new int[4 * 4];
    for (int i = 0; i < 4; i++) {
      values[i * 4] = 3;
      values[i * 4 + 1] = i % 2;
      values[i * 4 + 2] = i;
      values[i * 4 + 3] = 7 - i;
    }
    Codes codes = new Codes(4, 4, values, null);
    assertEquals(5 * Math.log(2), codes.positionEntropy(8), 1e-12);
    assertEquals(0, codes.classes());
  }

  @Test
  void configurationsAreReadAsTheyWereWritten() throws IOException {
    for (String name : PriorConfig.names()) {
      PriorConfig config = PriorConfig.named(name, new PriorConfig.Grid(7, 7, 128, 0));
      Path file = folder.resolve(name + ".json");
      Json.write(file, config);
      assertEquals(config, Json.read(file, PriorConfig.class));
    }
    assertThrows(
        IllegalArgumentException.class,
        () -> PriorConfig.named("pixelcn", new PriorConfig.Grid(7, 7, 128, 0)));
    assertThrows(
        IllegalArgumentException.class, () -> new PriorConfig.PixelCnn(true, 16, 2, 4, 3, 16));
    assertFalse(PriorConfig.named("pixelcnn", GRID).requirePixelCnn().firstKernel() < 3);
  }

  @Test
  void aPriorWithClassesNeedsLabels() {
    Codes bare = new Codes(10, GRID.positions(), new int[10 * GRID.positions()], null);
    CodeFile.Split split = new CodeFile.Split(bare, bare);
    assertThrows(
        IllegalArgumentException.class, () -> trainer("bare", config(1, 0, 1e-3), split).close());
  }
}
