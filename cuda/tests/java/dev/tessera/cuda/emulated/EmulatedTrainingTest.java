package dev.tessera.cuda.emulated;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.tessera.data.DatasetSplit;
import dev.tessera.data.Datasets;
import dev.tessera.device.DataType;
import dev.tessera.device.Device;
import dev.tessera.device.Shape;
import dev.tessera.device.Stream;
import dev.tessera.device.Tensor;
import dev.tessera.device.Workspace;
import dev.tessera.model.Tokenizer;
import dev.tessera.model.VqVaeConfig;
import dev.tessera.model.VqVaeConfig.QuantizerConfig;
import dev.tessera.model.VqVaeConfig.TrainingConfig;
import dev.tessera.nn.Pass;
import dev.tessera.train.MetricsLog;
import dev.tessera.train.RunFolder;
import dev.tessera.train.RunInfo;
import dev.tessera.train.Trainer;
import dev.tessera.vq.Codebook;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * Five steps of training on {@code cuda-emulated} follow the CPU's: losses and parameters within
 * fp32's rounding, codes of the same inputs exactly.
 */
class EmulatedTrainingTest {
  private static final String EMULATED = "cuda-emulated";
  private static final int STEPS = 5;
  private static final int BATCH = 8;

  private static final DatasetSplit DIGITS = few();

  @TempDir private Path folder;

  private static DatasetSplit few() {
    DatasetSplit all = Datasets.embeddedDigits();
    return new DatasetSplit(
        "few", all.train().slice("few", 0, 64), all.heldOut().slice("held", 0, BATCH), null);
  }

  /** What a run leaves. */
  private static final class Outcome {
    final List<Double> losses; // by step
    final Map<String, float[]> parameters = new LinkedHashMap<>(); // all, by name
    final float[] embedded; // the encoder's output for the held-out images, [N,D]
    final float[] codebook; // [K,D]
    final int[] codes; // of `embedded`, N

    Outcome(Pass pass, Trainer trainer, List<Double> losses) {
      this.losses = losses;
      trainer
          .model()
          .parameters()
          .byName()
          .forEach((name, p) -> parameters.put(name, p.value().toFloats(pass.stream())));
      Codebook book = trainer.model().quantizer().codebook();
      Tensor rows = pass.allocate(Shape.of(book.codes(), book.dim()));
      book.read(pass.stream(), rows);
      Tensor x = pass.allocate(Shape.of(BATCH, 28, 28, 1));
      x.copyFrom(pass.stream(), pixels());
      Tensor z = trainer.model().embed(pass, x);
      Tensor nearest = pass.allocate(z.shape().withoutLast(), DataType.I32);
      book.assign(pass.stream(), z, nearest);
      this.embedded = z.toFloats(pass.stream());
      this.codebook = rows.toFloats(pass.stream());
      this.codes = nearest.toInts(pass.stream());
    }
  }

  private static VqVaeConfig config(String name) {
    VqVaeConfig c = VqVaeConfig.named(name);
    QuantizerConfig q = c.quantizer();
    TrainingConfig t = c.training();
    return new VqVaeConfig(
        c.name(),
        c.image(),
        c.network(),
        new QuantizerConfig(
            32,
            q.dim(),
            q.mode(),
            q.commitment(),
            q.decay(),
            q.epsilon(),
            q.init(),
            q.initStep() > 0 ? 2 : 0), // two steps without the quantiser, then the codes from data
        new TrainingConfig(
            BATCH,
            0,
            STEPS,
            t.learningRate(),
            t.adamEpsilon(),
            t.epsilonHat(),
            t.dropRemainder(),
            0));
  }

  private Outcome train(String name, String deviceName) throws IOException {
    VqVaeConfig config = config(name);
    RunInfo info =
        new RunInfo(
            "test",
            7,
            deviceName,
            2,
            DIGITS.train().statistics().variance(),
            new RunInfo.DataInfo(
                "embedded", "few", DIGITS.train().fingerprint(), DIGITS.train().count(), BATCH));
    RunFolder run = new RunFolder(folder.resolve(name + "-" + deviceName));
    run.create(config, info);
    List<Double> losses = new ArrayList<>();
    try (Device device = Device.open(deviceName);
        Trainer trainer = new Trainer(config, info, run, DIGITS, device)) {
      trainer.run(
          new Trainer.Listener() {
            @Override
            public void step(long step, long total, double loss, double perplexity) {
              losses.add(loss);
            }

            @Override
            public void row(MetricsLog.Row row) {}
          },
          () -> false);
      try (Stream stream = device.openStream(1);
          Workspace workspace = new Workspace(device, 0)) {
        // The trainer has read its last results, so its stream has nothing to do.
        return new Outcome(new Pass(stream, workspace), trainer, losses);
      }
    }
  }

  private static float[] pixels() {
    float[] pixels = new float[BATCH * 784];
    byte[] one = new byte[784];
    for (int i = 0; i < BATCH; i++) {
      DIGITS.heldOut().read(i, one);
      for (int j = 0; j < 784; j++) {
        pixels[i * 784 + j] = (one[j] & 0xFF) / 255f - 0.5f;
      }
    }
    return pixels;
  }

  /** The codes that a device gives to the rows of {@code x} [N,D] with this codebook [K,D]. */
  private static int[] assign(String deviceName, float[] x, float[] codebook, int dim) {
    try (Device device = Device.open(deviceName);
        Stream stream = device.openStream(1);
        Tensor rows = device.allocate(Shape.of(x.length / dim, dim));
        Tensor codes = device.allocate(Shape.of(x.length / dim), DataType.I32);
        Tensor table = device.allocate(Shape.of(codebook.length / dim, dim))) {
      rows.copyFrom(stream, x);
      table.copyFrom(stream, codebook);
      try (Codebook book = Codebook.open(stream, table)) {
        book.assign(stream, rows, codes);
        return codes.toInts(stream);
      }
    }
  }

  /** Root of the squared difference over that of the squares. */
  private static double distance(float[] a, float[] b) {
    assertEquals(a.length, b.length);
    double difference = 0;
    double size = 0;
    for (int i = 0; i < a.length; i++) {
      difference += Math.pow((double) a[i] - b[i], 2);
      size += Math.pow(a[i], 2);
    }
    return size == 0 ? Math.sqrt(difference) : Math.sqrt(difference / size);
  }

  private void follows(String name) throws IOException {
    Outcome cpu = train(name, "cpu");
    Outcome emulated = train(name, EMULATED);
    assertEquals(STEPS, cpu.losses.size());
    assertEquals(STEPS, emulated.losses.size());
    for (int i = 0; i < STEPS; i++) {
      double expected = cpu.losses.get(i);
      assertEquals(expected, emulated.losses.get(i), 1e-5 * expected, name + ", step " + i);
    }
    assertEquals(cpu.parameters.keySet(), emulated.parameters.keySet());
    double worst = 0;
    for (Map.Entry<String, float[]> entry : cpu.parameters.entrySet()) {
      double distance = distance(entry.getValue(), emulated.parameters.get(entry.getKey()));
      worst = Math.max(worst, distance);
      assertTrue(distance < 1e-5, name + ": " + entry.getKey() + " differs by " + distance);
    }
    double codes = distance(cpu.codebook, emulated.codebook);
    assertTrue(codes < 1e-5, name + ": the codebooks differ by " + codes);
    System.out.printf("%s: parameters differ by %.1e, codebooks by %.1e%n", name, worst, codes);

    // The same inputs: the CPU's vectors and codes on the other device, and the other way round.
    int dim = config(name).quantizer().dim();
    assertArrayEquals(cpu.codes, assign(EMULATED, cpu.embedded, cpu.codebook, dim));
    assertArrayEquals(emulated.codes, assign("cpu", emulated.embedded, emulated.codebook, dim));
    assertTrue(Arrays.stream(cpu.codes).distinct().count() > 1, "only one code is used");
  }

  @Test
  void codesByMovingAveragesFollowTheCpu() throws IOException {
    follows("mnist");
  }

  @Test
  void codesByGradientFollowTheCpu() throws IOException {
    follows("keras-mnist");
  }

  /** Two streams, whose weights a third has brought: all of it ordered, and codes as on the CPU. */
  @Test
  void aTokenizerServesTheSameCodes() throws IOException {
    train("mnist", "cpu");
    Path run = folder.resolve("mnist-cpu");
    try (Tokenizer cpu = Tokenizer.load(run, "cpu", 1);
        Tokenizer emulated = Tokenizer.load(run, EMULATED, 2)) {
      int[] codes = cpu.encode(pixels());
      int[] others = emulated.encode(pixels());
      // Outputs of the two encoders differ in their last bits, which decides where codes nearly
      // tie.
      long same = 0;
      for (int i = 0; i < codes.length; i++) {
        same += codes[i] == others[i] ? 1 : 0;
      }
      assertTrue(same >= codes.length * 0.98, same + " of " + codes.length + " codes are the same");
      assertTrue(
          distance(cpu.decode(codes), emulated.decode(codes)) < 1e-5, "decoded images differ");
    }
  }
}
