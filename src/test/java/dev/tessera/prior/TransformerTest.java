package dev.tessera.prior;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.tessera.data.Philox;
import dev.tessera.device.DataFaultException;
import dev.tessera.device.DataType;
import dev.tessera.device.Device;
import dev.tessera.device.Shape;
import dev.tessera.device.Stream;
import dev.tessera.device.Tensor;
import dev.tessera.device.Workspace;
import dev.tessera.io.MalformedFileException;
import dev.tessera.nn.Parameter;
import dev.tessera.nn.Pass;
import dev.tessera.train.Adam;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * The transformer against float64, its gradients by differences there; what a logit may depend on;
 * the same logits position by position, and the same codes for any batch; dropout, AdamW, clipping.
 */
class TransformerTest {
  private static final PriorConfig.Training TRAINING =
      new PriorConfig.Training(8, 1, 1e-3, true, 1e-8, false, 0, 5, 0.1, 1);

  @TempDir private Path folder;

  private final long seed = System.nanoTime();
  private final Philox random = new Philox(seed, 0x7003, 0);
  private final Device device = Device.open("cpu");
  private final Stream stream = device.openStream(2);
  private final Workspace workspace = new Workspace(device, 0);
  private final Pass pass = new Pass(stream, workspace);

  @AfterEach
  void closeAll() {
    workspace.close();
    stream.close();
    device.close();
  }

  private static PriorConfig config(
      PriorConfig.Grid grid, int layers, int width, int heads, double dropout) {
    return config(grid, new PriorConfig.Transformer(layers, width, heads, dropout));
  }

  private static PriorConfig config(PriorConfig.Grid grid, PriorConfig.Transformer network) {
    return new PriorConfig("test", PriorConfig.Kind.TRANSFORMER, grid, null, network, TRAINING);
  }

  private static List<PriorConfig> configs() {
    return List.of(
        config(new PriorConfig.Grid(5, 4, 9, 0), 2, 24, 3, 0),
        config(new PriorConfig.Grid(3, 6, 5, 3), 1, 10, 1, 0.2),
        config(new PriorConfig.Grid(1, 1, 4, 2), 1, 8, 2, 0),
        config(new PriorConfig.Grid(2, 3, 2, 0), 3, 6, 6, 0.5),
        config(new PriorConfig.Grid(3, 4, 7, 3), new PriorConfig.Transformer(2, 12, 2, 0.1, true)),
        config(new PriorConfig.Grid(4, 3, 20, 0), new PriorConfig.Transformer(1, 16, 2, 0, true)));
  }

  /** A prior whose parameters all matter: large weights, biases and norms that are not 0 and 1. */
  private Prior prior(PriorConfig config) {
    Prior prior = Prior.of(config, stream, seed);
    for (Parameter p : prior.parameters().byName().values()) {
      float[] values = p.value().toFloats(stream);
      for (int i = 0; i < values.length; i++) {
        values[i] += 0.3f * (float) random.nextNormal();
      }
      p.value().copyFrom(stream, values);
    }
    return prior;
  }

  private int[] codes(PriorConfig.Grid grid, int batch) {
    int[] codes = new int[batch * grid.positions()];
    for (int i = 0; i < codes.length; i++) {
      codes[i] = random.nextInt(grid.codes());
    }
    return codes;
  }

  private int @Nullable [] classes(PriorConfig.Grid grid, int batch) {
    if (grid.classes() == 0) {
      return null;
    }
    int[] classes = new int[batch];
    for (int i = 0; i < batch; i++) {
      classes[i] = random.nextInt(grid.classes());
    }
    return classes;
  }

  private @Nullable Tensor upload(int @Nullable [] values, Shape shape) {
    if (values == null) {
      return null;
    }
    Tensor t = workspace.allocate(shape, DataType.I32);
    t.copyFrom(stream, MemorySegment.ofArray(values));
    return t;
  }

  private Tensor grids(Prior prior, int[] codes) {
    PriorConfig.Grid grid = prior.config().grid();
    Shape shape = Shape.of(codes.length / grid.positions(), grid.rows(), grid.columns());
    Tensor t = workspace.allocate(shape, DataType.I32);
    t.copyFrom(stream, MemorySegment.ofArray(codes));
    return t;
  }

  private float[] logits(Prior prior, int[] codes, int @Nullable [] classes) {
    workspace.reset();
    Tensor z = grids(prior, codes);
    return prior.logits(pass, z, upload(classes, Shape.of(z.shape().dim(0)))).toFloats(stream);
  }

  private double step(Prior prior, int[] codes, int @Nullable [] classes, long step) {
    workspace.reset();
    Tensor z = grids(prior, codes);
    return prior.step(pass, z, upload(classes, Shape.of(z.shape().dim(0))), step).toDouble(stream);
  }

  @Test
  void lossAndGradientsAreThoseOfTheFormulasInFloat64() {
    for (PriorConfig config : configs()) {
      PriorConfig.Transformer n = config.requireTransformer();
      PriorConfig still =
          config(
              config.grid(),
              new PriorConfig.Transformer(n.layers(), n.width(), n.heads(), 0, n.tied()));
      try (Prior prior = prior(still)) {
        int[] codes = codes(config.grid(), 3);
        int[] classes = classes(config.grid(), 3);
        TransformerReference reference = new TransformerReference(prior, stream);
        double expected = reference.loss(codes, classes);
        assertEquals(expected, step(prior, codes, classes, 0), 1e-5 * (1 + expected));
        for (Map.Entry<String, Parameter> p : prior.parameters().byName().entrySet()) {
          float[] gradient = p.getValue().gradient().toFloats(stream);
          double[] values = reference.values.get(p.getKey());
          double norm = 0;
          for (float g : gradient) {
            norm += (double) g * g;
          }
          for (int probe = 0; probe < 3; probe++) {
            int i = random.nextInt(values.length);
            double kept = values[i];
            double h = 1e-4;
            values[i] = kept + h;
            double up = reference.loss(codes, classes);
            values[i] = kept - h;
            double down = reference.loss(codes, classes);
            values[i] = kept;
            assertEquals(
                (up - down) / (2 * h),
                gradient[i],
                1e-5 + 1e-4 * Math.sqrt(norm),
                p.getKey() + "[" + i + "], seed " + seed);
          }
        }
      }
    }
  }

  @Test
  void aCodeChangesNoLogitAtItsPlaceOrBefore() {
    for (PriorConfig config : configs()) {
      PriorConfig.Grid grid = config.grid();
      try (Prior prior = prior(config)) {
        int[] codes = codes(grid, 1);
        int[] classes = classes(grid, 1);
        float[] before = logits(prior, codes, classes);
        for (int t = 0; t < grid.positions(); t++) {
          int[] changed = codes.clone();
          changed[t] = (changed[t] + 1 + random.nextInt(grid.codes() - 1)) % grid.codes();
          float[] after = logits(prior, changed, classes);
          int upTo = (t + 1) * grid.codes();
          assertArrayEquals(
              bits(Arrays.copyOf(before, upTo)),
              bits(Arrays.copyOf(after, upTo)),
              "code " + t + " is seen too early, seed " + seed);
          for (int later = t + 1; later < grid.positions(); later++) {
            int from = later * grid.codes();
            assertFalse(
                Arrays.equals(
                    Arrays.copyOfRange(before, from, from + grid.codes()),
                    Arrays.copyOfRange(after, from, from + grid.codes())),
                "code " + t + " is not seen at " + later + ", seed " + seed);
          }
        }
      }
    }
  }

  private static int[] bits(float[] values) {
    int[] bits = new int[values.length];
    for (int i = 0; i < bits.length; i++) {
      bits[i] = Float.floatToRawIntBits(values[i]);
    }
    return bits;
  }

  @Test
  void positionByPositionTheLogitsAreThoseOfAFullPass() {
    for (PriorConfig config : configs()) {
      PriorConfig.Grid grid = config.grid();
      int batch = 7;
      try (Prior prior = prior(config)) {
        int[] codes = codes(grid, batch);
        int[] classes = classes(grid, batch);
        float[] full = logits(prior, codes, classes);
        workspace.reset();
        Tensor chosen = workspace.allocate(Shape.of(batch), DataType.I32);
        try (CodeSession session = prior.session(stream, batch, upload(classes, Shape.of(batch)))) {
          for (int t = 0; t < grid.positions(); t++) {
            assertEquals(t, session.position());
            // Every other position is only accepted, as given parts of an image are.
            float[] one = t % 2 == 0 ? session.logits().toFloats(stream) : null;
            int[] next = new int[batch];
            for (int b = 0; b < batch; b++) {
              next[b] = codes[b * grid.positions() + t];
              for (int k = 0; one != null && k < grid.codes(); k++) {
                float expected = full[(b * grid.positions() + t) * grid.codes() + k];
                assertEquals(expected, one[b * grid.codes() + k], 1e-5, "position " + t);
              }
            }
            chosen.copyFrom(stream, MemorySegment.ofArray(next));
            session.accept(chosen);
          }
          assertThrows(IllegalStateException.class, session::logits);
          assertThrows(IllegalStateException.class, () -> session.accept(chosen));
        }
      }
    }
  }

  @Test
  void theSameCodesForAnyBatchAndAnyThreads() {
    int count = 64;
    for (PriorConfig config : configs()) {
      try (Prior prior = prior(config)) {
        int[] classes = classes(config.grid(), count);
        SampleOptions options = new SampleOptions(seed, 0.9, 6, 0.95);
        int[] expected = new CodeSampler(prior, device, 1, count).sample(count, options, classes);
        for (int batch : new int[] {1, 7}) {
          assertArrayEquals(
              expected,
              new CodeSampler(prior, device, 1, batch).sample(count, options, classes),
              "batch " + batch + ", seed " + seed);
        }
        for (int threads : new int[] {2, 3}) {
          assertArrayEquals(
              expected,
              new CodeSampler(prior, device, threads, 7).sample(count, options, classes),
              threads + " threads, seed " + seed);
        }
      }
    }
  }

  @Test
  void dropoutIsAFunctionOfTheStep() {
    try (Prior prior = prior(configs().get(3))) {
      int[] codes = codes(prior.config().grid(), 5);
      double first = step(prior, codes, null, 0);
      float[] gradient = gradients(prior);
      assertTrue(step(prior, codes, null, 1) != first, "nothing is dropped");
      assertEquals(first, step(prior, codes, null, 0));
      assertArrayEquals(gradient, gradients(prior));
      // Without training nothing is dropped.
      assertArrayEquals(logits(prior, codes, null), logits(prior, codes, null));
    }
  }

  /** With dropped elements the loss is another function, whose gradients are still its own. */
  @Test
  void gradientsWithDropoutAreDifferencesOfTheLoss() {
    // Wide enough that some of each token is left: the normalisation of nothing is far from linear.
    List<PriorConfig> wide =
        List.of(
            config(new PriorConfig.Grid(3, 6, 5, 3), 1, 20, 1, 0.2),
            config(new PriorConfig.Grid(2, 3, 2, 0), 3, 36, 6, 0.5));
    for (PriorConfig config : wide) {
      try (Prior prior = prior(config)) {
        int[] codes = codes(config.grid(), 4);
        int[] classes = classes(config.grid(), 4);
        step(prior, codes, classes, 9);
        for (Map.Entry<String, Parameter> entry : prior.parameters().byName().entrySet()) {
          Tensor value = entry.getValue().value();
          float[] at = value.toFloats(stream);
          step(prior, codes, classes, 9);
          float[] gradient = entry.getValue().gradient().toFloats(stream);
          double norm = 0;
          for (float g : gradient) {
            norm += (double) g * g;
          }
          norm = Math.sqrt(norm);
          if (norm < 1e-3) {
            continue;
          }
          double h = 1e-3;
          double[] losses = new double[2];
          for (int side = 0; side < 2; side++) {
            float[] moved = at.clone();
            for (int i = 0; i < at.length; i++) {
              moved[i] += (float) ((side == 0 ? h : -h) * gradient[i] / norm);
            }
            value.copyFrom(stream, moved);
            losses[side] = step(prior, codes, classes, 9);
          }
          value.copyFrom(stream, at);
          assertEquals(
              norm,
              (losses[0] - losses[1]) / (2 * h),
              0.02 * norm + 1e-3,
              "along " + entry.getKey() + ", seed " + seed);
        }
      }
    }
  }

  private float[] gradients(Prior prior) {
    float[] all = new float[Math.toIntExact(prior.parameters().count())];
    int at = 0;
    for (Parameter p : prior.parameters().byName().values()) {
      float[] own = p.gradient().toFloats(stream);
      System.arraycopy(own, 0, all, at, own.length);
      at += own.length;
    }
    return all;
  }

  @Test
  void clippingAndDecayAreThoseOfTheirFormulas() {
    try (Prior prior = prior(configs().get(0));
        Adam adam = new Adam(stream, prior.parameters(), 0.01, 1e-8, false, 0.1)) {
      step(prior, codes(prior.config().grid(), 3), null, 0);
      float[] before = gradients(prior);
      double square = 0;
      for (float g : before) {
        square += (double) g * g;
      }
      double norm = Math.sqrt(square);
      assertEquals(norm, adam.clipGradients(stream, norm / 2).toDouble(stream), 1e-9 * norm);
      float[] after = gradients(prior);
      for (int i = 0; i < before.length; i++) {
        assertEquals(0.5 * before[i], after[i], 1e-6 * Math.abs(before[i]));
      }
      // The first step of Adam moves by the rate along the sign; weights also decay, biases do not.
      Map<String, Parameter> all = prior.parameters().byName();
      for (String name : List.of("head.weight", "head.bias", "tokens.weight", "ln_f.weight")) {
        Parameter p = all.get(name);
        float[] gradient = p.gradient().toFloats(stream);
        float[] old = p.value().toFloats(stream);
        // Only this one's step is looked at, so all of them may move.
        adam.step(stream);
        float[] moved = p.value().toFloats(stream);
        adam.restored(0);
        adam.state().values().forEach(t -> stream.fill(t, 0));
        double decay = p.shape().rank() > 1 ? 0.01 * 0.1 : 0;
        for (int i = 0; i < old.length; i++) {
          double update = gradient[i] / (Math.abs(gradient[i]) + 1e-8);
          assertEquals(old[i] - decay * old[i] - 0.01 * update, moved[i], 2e-6, name);
        }
      }
    }
  }

  @Test
  void tiedWeightsAreCountedSavedAndRestoredOnce() throws IOException {
    PriorConfig.Grid grid = new PriorConfig.Grid(3, 4, 7, 3);
    PriorConfig.Transformer network = new PriorConfig.Transformer(2, 12, 2, 0);
    Path file = folder.resolve("tied.safetensors");
    int[] codes = codes(grid, 3);
    int[] classes = classes(grid, 3);
    try (Prior untied = prior(config(grid, network));
        Prior tied = prior(config(grid, network.withTied(true)));
        Prior restored = Prior.of(config(grid, network.withTied(true)), stream, seed + 1)) {
      assertEquals(untied.parameters().count() - 7 * 12, tied.parameters().count());
      assertFalse(tied.parameters().byName().containsKey("head.weight"));
      PriorCheckpoint.writeWeights(file, stream, tied, 1);
      PriorCheckpoint.restoreWeights(file, stream, restored);
      assertArrayEquals(bits(logits(tied, codes, classes)), bits(logits(restored, codes, classes)));
      assertThrows(
          MalformedFileException.class,
          () -> PriorCheckpoint.restoreWeights(file, stream, untied),
          "weights of a tied prior are not those of an untied one");
    }
  }

  @Test
  void theRateRisesAndFalls() {
    assertEquals(1e-3 / 5, TRAINING.rateAt(0, 105), 1e-12);
    assertEquals(1e-3, TRAINING.rateAt(4, 105), 1e-12);
    assertEquals(1e-3, TRAINING.rateAt(5, 105), 1e-12);
    assertEquals(0.5e-3, TRAINING.rateAt(55, 105), 1e-12);
    assertTrue(TRAINING.rateAt(104, 105) < 1e-6);
  }

  @Test
  void aFewStepsLearnAGridByHeart() {
    PriorConfig config = config(new PriorConfig.Grid(3, 3, 6, 2), 2, 32, 4, 0);
    try (Prior prior = Prior.of(config, stream, seed);
        Adam adam = new Adam(stream, prior.parameters(), 3e-3, 1e-8, false, 0.01)) {
      int[] codes = codes(config.grid(), 2);
      int[] classes = {0, 1};
      double first = step(prior, codes, classes, 0);
      assertEquals(Math.log(6), first, 0.2);
      double last = first;
      for (int i = 0; i < 150; i++) {
        last = step(prior, codes, classes, i);
        adam.clipGradients(stream, 1);
        adam.step(stream);
      }
      assertTrue(last < 0.05, "still " + last + " nats, seed " + seed);
      int[] drawn =
          new CodeSampler(prior, device, 1, 2).sample(2, new SampleOptions(seed, 0, 6, 1), classes);
      assertArrayEquals(codes, drawn);
    }
  }

  @Test
  void whatIsOutOfRangeIsRefused() {
    try (Prior with = prior(configs().get(1));
        Prior without = prior(configs().get(0))) {
      int[] z = codes(with.config().grid(), 2);
      assertThrows(IllegalArgumentException.class, () -> logits(with, z, null));
      assertThrows(DataFaultException.class, () -> logits(with, z, new int[] {0, 3}));
      z[4] = 5;
      assertThrows(DataFaultException.class, () -> logits(with, z, new int[] {0, 1}));
      int[] y = codes(without.config().grid(), 1);
      assertThrows(IllegalArgumentException.class, () -> logits(without, y, new int[] {0}));
    }
    assertThrows(IllegalArgumentException.class, () -> new PriorConfig.Transformer(1, 10, 3, 0));
    assertThrows(IllegalArgumentException.class, () -> new PriorConfig.Transformer(1, 129, 1, 0));
    assertThrows(IllegalArgumentException.class, () -> new PriorConfig.Transformer(1, 16, 1, 1.0));
  }
}
