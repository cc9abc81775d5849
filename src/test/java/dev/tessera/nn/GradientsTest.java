package dev.tessera.nn;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.tessera.data.Philox;
import dev.tessera.device.Device;
import dev.tessera.device.Shape;
import dev.tessera.device.Stream;
import dev.tessera.device.Tensor;
import dev.tessera.device.Workspace;
import java.util.Arrays;
import java.util.Map;
import java.util.function.ToDoubleFunction;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/**
 * Layers put together: their gradients against differences of the loss along random directions.
 * (Each op alone is held against float64 in the native tests.)
 */
class GradientsTest {
  private final long seed = System.nanoTime();
  private final Philox random = new Philox(seed, 0x7002, 0);
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

  private float[] normals(long n) {
    float[] values = new float[(int) n];
    for (int i = 0; i < values.length; i++) {
      values[i] = (float) random.nextNormal();
    }
    return values;
  }

  private Tensor tensor(float[] values, Shape shape) {
    Tensor t = workspace.allocate(shape);
    t.copyFrom(stream, values);
    return t;
  }

  private static double dot(float[] a, float[] b) {
    double sum = 0;
    for (int i = 0; i < a.length; i++) {
      sum += (double) a[i] * b[i];
    }
    return sum;
  }

  private static float[] moved(float[] x, float[] direction, double by) {
    float[] y = new float[x.length];
    for (int i = 0; i < x.length; i++) {
      y[i] = (float) (x[i] + by * direction[i]);
    }
    return y;
  }

  /** Loss sum(w * layer(x)), and its gradients. */
  private void check(Layer layer, Shape inputShape) {
    try (ParameterSet parameters = new ParameterSet(stream, layer.parameters())) {
      parameters.initialize(stream, seed);
      keepReluFromSwitching(parameters);
      Shape outputShape = layer.outputShape(inputShape);
      float[] x = normals(inputShape.elements());
      float[] w = normals(outputShape.elements());
      double inferred = loss(layer, x, w, inputShape);
      workspace.reset();
      Tensor y = layer.forward(pass, tensor(x, inputShape));
      assertEquals(outputShape, y.shape());
      assertEquals(dot(w, y.toFloats(stream)), inferred, 1e-9, "infer is forward");
      Tensor kept = tensor(w, outputShape);
      float[] dxKeeping = layer.backwardKeeping(pass, kept).toFloats(stream);
      assertArrayEquals(w, kept.toFloats(stream), "backwardKeeping keeps dy");
      float[] dx = layer.backward(pass, tensor(w, outputShape)).toFloats(stream);
      assertArrayEquals(dx, dxKeeping, "backwardKeeping is backward");
      check("the input", x, dx, moved -> loss(layer, moved, w, inputShape));
      for (Map.Entry<String, Parameter> p : parameters.byName().entrySet()) {
        Tensor value = p.getValue().value();
        float[] before = value.toFloats(stream);
        check(
            p.getKey(),
            before,
            p.getValue().gradient().toFloats(stream),
            moved -> {
              value.copyFrom(stream, moved);
              double loss = loss(layer, x, w, inputShape);
              value.copyFrom(stream, before);
              return loss;
            });
      }
    }
  }

  /**
   * Small weights and large biases of either sign: half of the ReLUs are on and half are off,
   * whatever the input, so that differences of the loss are its derivative up to rounding.
   */
  private void keepReluFromSwitching(ParameterSet parameters) {
    float bias = 4;
    for (Map.Entry<String, Parameter> p : parameters.byName().entrySet()) {
      Tensor value = p.getValue().value();
      float[] values = value.toFloats(stream);
      boolean isBias = p.getKey().endsWith("bias");
      for (int i = 0; i < values.length; i++) {
        values[i] = isBias ? (random.nextFloat() < 0.5f ? bias : -bias) : 0.2f * values[i];
      }
      bias *= isBias ? 2 : 1;
      value.copyFrom(stream, values);
    }
  }

  /** The gradient along a random direction against a central difference. */
  private void check(String what, float[] at, float[] gradient, ToDoubleFunction<float[]> lossAt) {
    double h = 0.05;
    float[] along = normals(at.length);
    double difference =
        (lossAt.applyAsDouble(moved(at, along, h)) - lossAt.applyAsDouble(moved(at, along, -h)))
            / (2 * h);
    double derivative = dot(gradient, along);
    double tolerance = 5e-3 * Math.sqrt(dot(gradient, gradient)) + 5e-3;
    assertTrue(
        Math.abs(difference - derivative) < tolerance,
        "by "
            + what
            + ": difference "
            + difference
            + ", gradient "
            + derivative
            + ", seed "
            + seed);
  }

  private double loss(Layer layer, float[] x, float[] w, Shape inputShape) {
    workspace.reset();
    return dot(w, layer.infer(pass, tensor(x, inputShape)).toFloats(stream));
  }

  @Test
  void convolutionsWithAndWithoutRelu() {
    for (Activation activation : Activation.values()) {
      check(new Conv2d(WeightRule.KERAS.conv(3, 5, 3, 2, activation)), Shape.of(2, 9, 8, 3));
      check(
          new ConvTranspose2d(WeightRule.SONNET.conv(4, 3, 4, 2, activation)),
          Shape.of(2, 5, 4, 4));
    }
  }

  @Test
  void residualBlocksInSequence() {
    check(
        Sequential.of(
            new Conv2d(WeightRule.SONNET.conv(2, 8, 4, 2, Activation.RELU)),
            new ResidualBlock(8, 4, WeightRule.SONNET),
            new ResidualBlock(8, 4, WeightRule.SONNET),
            new ReLU(),
            new ConvTranspose2d(WeightRule.SONNET.conv(8, 2, 4, 2, Activation.NONE))),
        Shape.of(2, 12, 8, 2));
  }

  @Test
  void aFullyConnectedLayerBehindConvolutions() {
    check(
        Sequential.of(
            new Conv2d(WeightRule.KERAS.conv(2, 4, 3, 2, Activation.RELU)),
            new Flatten(),
            new Conv2d(WeightRule.KERAS.conv(4 * 3 * 2, 5, 1, 1, Activation.RELU))),
        Shape.of(3, 6, 4, 2));
  }

  @Test
  void samePaddingIsKeras() {
    assertEquals(new Padding(0, 0, 1, 1), Padding.same(28, 28, 3, 2));
    assertEquals(new Padding(1, 1, 1, 1), Padding.same(7, 7, 3, 2));
    assertEquals(new Padding(1, 1, 1, 1), Padding.same(32, 32, 4, 2));
    assertEquals(new Padding(1, 1, 1, 1), Padding.same(9, 9, 3, 1));
    assertEquals(new Padding(0, 0, 0, 0), Padding.same(9, 9, 1, 1));
  }

  @Test
  void initialisersAreThoseOfTheFrameworks() {
    Conv2d keras = new Conv2d(WeightRule.KERAS.conv(32, 64, 3, 2, Activation.NONE));
    Conv2d sonnet = new Conv2d(WeightRule.SONNET.conv(64, 128, 4, 2, Activation.NONE));
    try (ParameterSet k = new ParameterSet(stream, keras.parameters());
        ParameterSet s = new ParameterSet(stream, sonnet.parameters())) {
      k.initialize(stream, seed);
      s.initialize(stream, seed);
      float[] uniform = keras.parameters().get("weight").value().toFloats(stream);
      double limit = Math.sqrt(6.0 / (9 * 32 + 9 * 64));
      float[] sorted = uniform.clone();
      Arrays.sort(sorted);
      assertTrue(sorted[0] >= -limit && sorted[sorted.length - 1] <= limit);
      assertEquals(limit, sorted[sorted.length - 1], 0.01 * limit);
      assertEquals(
          limit / Math.sqrt(3), Math.sqrt(dot(uniform, uniform) / uniform.length), 0.02 * limit);
      float[] normal = sonnet.parameters().get("weight").value().toFloats(stream);
      double deviation = 1 / Math.sqrt(16 * 64);
      for (float v : normal) {
        assertTrue(Math.abs(v) <= 2 * deviation + 1e-6);
      }
      // A normal cut at two deviations has 0.8796 of the deviation.
      assertEquals(
          0.8796 * deviation, Math.sqrt(dot(normal, normal) / normal.length), 0.01 * deviation);
      assertTrue(
          Arrays.equals(new float[64], keras.parameters().get("bias").value().toFloats(stream)));
    }
  }
}
