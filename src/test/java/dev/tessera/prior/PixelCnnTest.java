package dev.tessera.prior;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.tessera.data.Philox;
import dev.tessera.device.DataType;
import dev.tessera.device.Device;
import dev.tessera.device.Shape;
import dev.tessera.device.Stream;
import dev.tessera.device.Tensor;
import dev.tessera.device.Workspace;
import dev.tessera.nn.Parameter;
import dev.tessera.nn.Pass;
import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/**
 * Both PixelCNNs: what a logit may depend on, the same logits position by position, the same codes
 * for any batch, gradients by differences, and Keras' number of parameters.
 */
class PixelCnnTest {
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

  private static final PriorConfig.Training TRAINING =
      new PriorConfig.Training(8, 1, 1e-3, false, 1e-8, false, 0);

  private static PriorConfig config(
      boolean gated, PriorConfig.Grid grid, int layers, int firstKernel, int kernel) {
    return new PriorConfig(
        "test",
        PriorConfig.Kind.PIXELCNN,
        grid,
        new PriorConfig.PixelCnn(gated, 12, layers, firstKernel, kernel, 10),
        TRAINING);
  }

  private static List<PriorConfig> configs() {
    return List.of(
        config(false, new PriorConfig.Grid(5, 4, 9, 0), 2, 7, 3),
        config(false, new PriorConfig.Grid(3, 6, 5, 0), 1, 3, 5),
        config(true, new PriorConfig.Grid(5, 4, 9, 0), 3, 5, 3),
        config(true, new PriorConfig.Grid(4, 5, 7, 3), 2, 3, 5),
        config(true, new PriorConfig.Grid(3, 3, 4, 2), 1, 7, 3));
  }

  /** A prior whose parameters, biases too, are all different from 0. */
  private Prior prior(PriorConfig config) {
    Prior prior = Prior.of(config, stream, seed);
    for (Map.Entry<String, Parameter> p : prior.parameters().byName().entrySet()) {
      if (p.getKey().endsWith("bias") || p.getKey().contains("class")) {
        float[] values = p.getValue().value().toFloats(stream);
        for (int i = 0; i < values.length; i++) {
          values[i] = 0.3f * (float) random.nextNormal();
        }
        p.getValue().value().copyFrom(stream, values);
      }
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

  private float[] logits(Prior prior, int[] codes, int @Nullable [] classes) {
    PriorConfig.Grid grid = prior.config().grid();
    int batch = codes.length / grid.positions();
    workspace.reset();
    Tensor z = upload(codes, Shape.of(batch, grid.rows(), grid.columns()));
    return prior.logits(pass, z, upload(classes, Shape.of(batch))).toFloats(stream);
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
          if ((t + 1) % grid.columns() != 0) { // the test would pass with no codes seen at all
            assertTrue(
                !Arrays.equals(
                    Arrays.copyOfRange(before, upTo, upTo + grid.codes()),
                    Arrays.copyOfRange(after, upTo, upTo + grid.codes())),
                "code " + t + " is not seen by the next position");
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

  /** No blind spot: the gated network's last logit sees every code, the nearest as the farthest. */
  @Test
  void theGatedNetworkHasNoBlindSpot() {
    PriorConfig config = config(true, new PriorConfig.Grid(5, 5, 6, 0), 5, 3, 3);
    PriorConfig.Grid grid = config.grid();
    try (Prior prior = prior(config)) {
      int[] codes = codes(grid, 1);
      float[] before = logits(prior, codes, null);
      int last = (grid.positions() - 1) * grid.codes();
      for (int t = 0; t < grid.positions() - 1; t++) {
        int[] changed = codes.clone();
        changed[t] = (changed[t] + 1) % grid.codes();
        float[] after = logits(prior, changed, null);
        assertTrue(
            !Arrays.equals(
                Arrays.copyOfRange(before, last, last + grid.codes()),
                Arrays.copyOfRange(after, last, last + grid.codes())),
            "code " + t + " is not seen by the last position, seed " + seed);
      }
    }
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
        assertTrue(
            !Arrays.equals(
                expected,
                new CodeSampler(prior, device, 1, count)
                    .sample(count, SampleOptions.of(seed + 1), classes)));
      }
    }
  }

  @Test
  void completionKeepsWhatIsGiven() {
    PriorConfig config = configs().get(2);
    try (Prior prior = prior(config)) {
      int[] given = Arrays.copyOf(codes(config.grid(), 1), 10);
      int positions = config.grid().positions();
      CodeSampler sampler = new CodeSampler(prior, device, 2, 5);
      int[] codes = sampler.complete(12, SampleOptions.of(seed), null, given);
      for (int i = 0; i < 12; i++) {
        assertArrayEquals(
            given, Arrays.copyOfRange(codes, i * positions, i * positions + given.length));
      }
      assertThrows(
          IllegalArgumentException.class,
          () -> sampler.complete(1, SampleOptions.of(seed), null, new int[] {9}));
      assertThrows(
          IllegalArgumentException.class,
          () -> sampler.sample(1, SampleOptions.of(seed), new int[] {0}));
    }
  }

  @Test
  void lossAndGradientsAreThoseOfTheFormulas() {
    for (PriorConfig config : configs()) {
      int batch = 3;
      PriorConfig.Grid grid = config.grid();
      try (Prior prior = prior(config)) {
        PixelCnnReference reference = new PixelCnnReference(prior, stream);
        int[] codes;
        int[] classes;
        double expected;
        do { // until no ReLU may be on in float32 and off in float64
          codes = codes(grid, batch);
          classes = classes(grid, batch);
          reference.nearestKink = Double.MAX_VALUE;
          expected = reference.loss(codes, classes);
        } while (reference.nearestKink < 1e-6);
        workspace.reset();
        Tensor z = upload(codes, Shape.of(batch, grid.rows(), grid.columns()));
        Tensor labels = upload(classes, Shape.of(batch));
        assertEquals(expected, prior.step(pass, z, labels, 0).toDouble(stream), 1e-5);
        for (Map.Entry<String, Parameter> p : prior.parameters().byName().entrySet()) {
          float[] gradient = p.getValue().gradient().toFloats(stream);
          checkGradient(reference, p.getKey(), gradient, codes, classes);
        }
      }
    }
  }

  private void checkGradient(
      PixelCnnReference reference,
      String name,
      float[] gradient,
      int[] codes,
      int @Nullable [] classes) {
    double[] values = reference.values.getOrDefault(name, new double[0]);
    double[] at = values.clone();
    double[] along = new double[at.length];
    double derivative = 0;
    double norm = 0;
    for (int i = 0; i < at.length; i++) {
      // What the mask of a raster kernel hides is 0 and stays 0.
      along[i] = name.contains(".1.weight") && at[i] == 0 ? 0 : random.nextNormal();
      derivative += along[i] * gradient[i];
      norm += (double) gradient[i] * gradient[i];
    }
    double h = 1e-8;
    double[] losses = new double[2];
    for (int side = 0; side < 2; side++) {
      for (int i = 0; i < at.length; i++) {
        values[i] = at[i] + (side == 0 ? h : -h) * along[i];
      }
      losses[side] = reference.loss(codes, classes);
    }
    System.arraycopy(at, 0, values, 0, at.length);
    assertEquals(
        (losses[0] - losses[1]) / (2 * h),
        derivative,
        1e-4 * Math.sqrt(norm) + 2e-6,
        "by " + name + ", seed " + seed);
  }

  @Test
  void theMaskedPartOfAKernelStaysZero() {
    PriorConfig config = configs().get(0);
    PriorConfig.Grid grid = config.grid();
    try (Prior prior = prior(config)) {
      workspace.reset();
      Tensor z = upload(codes(grid, 4), Shape.of(4, grid.rows(), grid.columns()));
      prior.step(pass, z, null, 0);
      Parameter weight = prior.parameters().byName().get("blocks.0.1.weight");
      assertEquals(Shape.of(6, 2, 3, 12), weight.shape());
      float[] values = weight.value().toFloats(stream);
      float[] gradient = weight.gradient().toFloats(stream);
      for (int i = 0; i < values.length; i++) {
        boolean hidden = i / 12 % 6 == 5;
        assertEquals(hidden, values[i] == 0, "weight " + i);
        assertTrue(!hidden || gradient[i] == 0, "gradient " + i);
      }
    }
  }

  @Test
  void kerasCountsAsManyParameters() {
    PriorConfig config = PriorConfig.named("keras-pixelcnn", new PriorConfig.Grid(7, 7, 128, 0));
    try (Prior prior = Prior.of(config, stream, 1)) {
      long kept = prior.parameters().count();
      assertEquals(1_049_728, kept + ((PlainPixelCnn) prior).maskedWeights());
    }
  }

  @Test
  void classesGoWithAPriorThatHasThem() {
    PriorConfig with = configs().get(3);
    PriorConfig without = configs().get(2);
    try (Prior a = prior(with);
        Prior b = prior(without)) {
      int[] z = codes(with.grid(), 1);
      assertThrows(IllegalArgumentException.class, () -> logits(a, z, null));
      int[] y = codes(without.grid(), 1);
      assertThrows(IllegalArgumentException.class, () -> logits(b, y, new int[] {0}));
    }
    PriorConfig.Grid grid = new PriorConfig.Grid(3, 3, 4, 2);
    PriorConfig plain = config(false, grid, 1, 3, 3);
    assertThrows(IllegalArgumentException.class, () -> Prior.of(plain, stream, 1));
  }
}
