package dev.tessera.vq;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
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
import dev.tessera.nn.Initializer;
import dev.tessera.nn.Parameter;
import dev.tessera.nn.ParameterSet;
import dev.tessera.nn.Pass;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.SequencedMap;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** Which gradient goes where, how codes move, and what a codebook refuses. */
class VectorQuantizerTest {
  private static final int N = 12;
  private static final int K = 5;
  private static final int D = 3;

  private final long seed = System.nanoTime();
  private final Philox random = new Philox(seed, 0x7000, 0);
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

  private float[] normals(int n) {
    float[] values = new float[n];
    for (int i = 0; i < n; i++) {
      values[i] = (float) random.nextNormal();
    }
    return values;
  }

  private Tensor tensor(float[] values, long... dims) {
    Tensor t = workspace.allocate(Shape.of(dims));
    t.copyFrom(stream, values);
    return t;
  }

  /** Gradients by the input and by the codes of one pass in codebook-loss mode. */
  private float[][] codebookLossGradients(
      double beta, float[] x, float[] codes, float[] gradVectors) {
    Parameter embedding = new Parameter(Shape.of(K, D), Initializer.ZEROS);
    SequencedMap<String, Parameter> all = new LinkedHashMap<>();
    all.put("codebook", embedding);
    try (ParameterSet parameters = new ParameterSet(stream, all)) {
      assertEquals(K * D, parameters.count());
      embedding.value().copyFrom(stream, codes);
      try (CodebookLossQuantizer quantizer = new CodebookLossQuantizer(stream, embedding, beta)) {
        Quantized q = quantizer.forward(pass, tensor(x, N, D));
        Tensor gradInput = quantizer.backward(pass, q, tensor(gradVectors, N, D));
        return new float[][] {gradInput.toFloats(stream), embedding.gradient().toFloats(stream)};
      }
    }
  }

  private static int nearest(float[] x, int row, float[] codes) {
    int best = 0;
    double bestDistance = Double.POSITIVE_INFINITY;
    for (int k = 0; k < codes.length / D; k++) {
      double distance = 0;
      for (int d = 0; d < D; d++) {
        double e = (double) x[row * D + d] - codes[k * D + d];
        distance = Math.fma(e, e, distance);
      }
      if (distance < bestDistance) {
        bestDistance = distance;
        best = k;
      }
    }
    return best;
  }

  @Test
  void betaActsOnTheEncoderAlone() {
    float[] x = normals(N * D);
    float[] codes = normals(K * D);
    float[] grad = normals(N * D);
    float[][] without = codebookLossGradients(0, x, codes, grad);
    float[][] with = codebookLossGradients(0.25, x, codes, grad);
    float[][] twice = codebookLossGradients(0.5, x, codes, grad);
    assertArrayEquals(grad, without[0], "straight-through, seed " + seed);
    assertArrayEquals(without[1], with[1], "the codes' gradient does not know beta, seed " + seed);
    assertArrayEquals(without[1], twice[1], "the codes' gradient does not know beta, seed " + seed);
    double[] codesGradient = new double[K * D];
    for (int n = 0; n < N; n++) {
      int k = nearest(x, n, codes);
      for (int d = 0; d < D; d++) {
        double e = (double) x[n * D + d] - codes[k * D + d];
        assertEquals(
            grad[n * D + d] + 0.25 * 2 * e / (N * D), with[0][n * D + d], 1e-6, "seed " + seed);
        codesGradient[k * D + d] -= 2 * e / (N * D);
      }
    }
    for (int i = 0; i < K * D; i++) {
      assertEquals(codesGradient[i], with[1][i], 1e-6, "seed " + seed);
    }
  }

  @Test
  void lossesAreThoseOfTheFrameworks() {
    try (Tensor codes = device.allocate(Shape.of(K, D))) {
      codes.copyFrom(stream, normals(K * D));
      try (EmaQuantizer ema = new EmaQuantizer(stream, codes, 0.25, 0.99, 1e-5)) {
        assertEquals(0.5, ema.loss(2.0));
      }
    }
    Parameter embedding = new Parameter(Shape.of(K, D), Initializer.uniform(1));
    SequencedMap<String, Parameter> all = new LinkedHashMap<>();
    all.put("codebook", embedding);
    try (ParameterSet parameters = new ParameterSet(stream, all)) {
      parameters.initialize(stream, seed);
      try (CodebookLossQuantizer keras = new CodebookLossQuantizer(stream, embedding, 0.25)) {
        assertEquals(2.5, keras.loss(2.0));
      }
    }
  }

  @Test
  void emaFollowsSonnetAndQuantisesBeforeItUpdates() {
    double decay = 0.9;
    double epsilon = 1e-5;
    float[] initial = normals(K * D);
    double[] codes = new double[K * D];
    for (int i = 0; i < K * D; i++) {
      codes[i] = initial[i];
    }
    double[] hiddenCounts = new double[K];
    double[] hiddenSums = new double[K * D];
    try (Tensor start = device.allocate(Shape.of(K, D));
        Tensor seen = device.allocate(Shape.of(K, D))) {
      start.copyFrom(stream, initial);
      try (EmaQuantizer quantizer = new EmaQuantizer(stream, start, 0.25, decay, epsilon)) {
        for (int step = 1; step <= 50; step++) {
          workspace.reset();
          float[] x = normals(N * D);
          Quantized q = quantizer.forward(pass, tensor(x, N, D));
          int[] chosen = q.codes().toInts(stream);
          float[] vectors = q.vectors().toFloats(stream);
          quantizer.codebook().read(stream, seen);
          float[] before = seen.toFloats(stream);
          double[] counts = new double[K];
          double[] sums = new double[K * D];
          for (int n = 0; n < N; n++) {
            counts[chosen[n]]++;
            for (int d = 0; d < D; d++) {
              sums[chosen[n] * D + d] += x[n * D + d];
              assertEquals(before[chosen[n] * D + d], vectors[n * D + d]);
            }
          }
          quantizer.update(stream, q);
          double debias = 1 - Math.pow(decay, step);
          double total = 0;
          for (int k = 0; k < K; k++) {
            hiddenCounts[k] -= (hiddenCounts[k] - counts[k]) * (1 - decay);
            total += hiddenCounts[k] / debias;
          }
          quantizer.codebook().read(stream, seen);
          float[] after = seen.toFloats(stream);
          for (int k = 0; k < K; k++) {
            double smoothed = (hiddenCounts[k] / debias + epsilon) / (total + K * epsilon) * total;
            for (int d = 0; d < D; d++) {
              int i = k * D + d;
              hiddenSums[i] -= (hiddenSums[i] - sums[i]) * (1 - decay);
              codes[i] = hiddenSums[i] / debias / smoothed;
              assertEquals(
                  codes[i],
                  after[i],
                  1e-5 * Math.max(1, Math.abs(codes[i])),
                  "step " + step + " seed " + seed);
            }
          }
        }
        assertEquals(50, quantizer.step());
        assertEquals(51, quantizer.codebook().version());
      }
    }
  }

  @Test
  void aCodebookFromDataIsNotUndoneByTheNextUpdate() {
    float[] far = new float[40 * D];
    for (int n = 0; n < 40; n++) { // clusters around 10, 20, 30, 40 and 50
      for (int d = 0; d < D; d++) {
        far[n * D + d] = 10f * (1 + n % K) + 0.01f * (float) random.nextNormal();
      }
    }
    try (Tensor zeros = device.allocate(Shape.of(K, D));
        Tensor seen = device.allocate(Shape.of(K, D))) {
      stream.fill(zeros, 0);
      try (EmaQuantizer quantizer = new EmaQuantizer(stream, zeros, 0.25, 0.99, 1e-5)) {
        quantizer.initializeFrom(stream, tensor(far, 40, D), new Philox(seed, 1, 0));
        quantizer.codebook().read(stream, seen);
        float[] before = seen.toFloats(stream);
        // The only row is a code itself, wherever k-means left it (between two clusters, perhaps):
        // neither this code nor one that nobody chose has a reason to move.
        float[] one = Arrays.copyOf(before, D);
        Quantized q = quantizer.forward(pass, tensor(one, 1, D));
        quantizer.update(stream, q);
        quantizer.codebook().read(stream, seen);
        float[] after = seen.toFloats(stream);
        for (int i = 0; i < K * D; i++) {
          assertTrue(before[i] > 9 && before[i] < 51, "centre " + before[i] + " seed " + seed);
          assertEquals(before[i], after[i], 0.01 * before[i], "seed " + seed);
        }
      }
    }
  }

  @Test
  void faultsOfTheDataNameTheRow() {
    try (Tensor codes = device.allocate(Shape.of(2, 2))) {
      codes.copyFrom(stream, new float[] {0, 0, 1, Float.NaN});
      DataFaultException bad =
          assertThrows(DataFaultException.class, () -> Codebook.open(stream, codes));
      assertEquals(1, bad.row());
      codes.copyFrom(stream, new float[] {0, 0, 1, 1});
      try (Codebook book = Codebook.open(stream, codes)) {
        float[] values = {0, 0, 1, 1, Float.POSITIVE_INFINITY, 0, 2, 2};
        Tensor x = tensor(values, 4, 2);
        Tensor out = workspace.allocate(Shape.of(4), DataType.I32);
        DataFaultException fault =
            assertThrows(DataFaultException.class, () -> book.assign(stream, x, out));
        assertEquals(2, fault.row());
        assertArrayEquals(new int[] {0, 1, -1, 1}, out.toInts(stream));
        Tensor gathered = workspace.allocate(Shape.of(4, 2));
        DataFaultException range =
            assertThrows(DataFaultException.class, () -> book.gather(stream, out, gathered));
        assertEquals(2, range.row());
      }
    }
  }

  @Test
  void aClosedCodebookThrowsAndAPinnedOneStays() {
    try (Tensor codes = device.allocate(Shape.of(2, 1))) {
      codes.copyFrom(stream, new float[] {0, 1});
      Codebook book = Codebook.open(stream, codes);
      Codebook pinned = book.pin();
      codes.copyFrom(stream, new float[] {5, 6});
      book.update(stream, codes);
      assertThrows(IllegalArgumentException.class, () -> pinned.update(stream, codes));
      book.close();
      book.close();
      assertThrows(IllegalStateException.class, () -> book.read(stream, codes));
      assertThrows(IllegalStateException.class, book::version);
      pinned.read(stream, codes);
      assertArrayEquals(new float[] {0, 1}, codes.toFloats(stream));
      pinned.close();
    }
  }
}
