package dev.tessera.prior;

import dev.tessera.device.Stream;
import dev.tessera.nn.Parameter;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** A prior's loss in float64, from logits that subclasses compute as the formulas say. */
abstract class PriorReference {
  /** The label of images without classes. */
  static final int NO_CLASS = -1;

  final PriorConfig.Grid grid;

  /** The weights, by name. */
  final Map<String, double[]> values = new LinkedHashMap<>();

  PriorReference(Prior prior, Stream stream) {
    this.grid = prior.config().grid();
    for (Map.Entry<String, Parameter> p : prior.parameters().byName().entrySet()) {
      float[] floats = p.getValue().value().toFloats(stream);
      double[] doubles = new double[floats.length];
      for (int i = 0; i < floats.length; i++) {
        doubles[i] = floats[i];
      }
      values.put(p.getKey(), doubles);
    }
  }

  /** Logits [T][K] of one grid of {@code label}, which may be {@link #NO_CLASS}. */
  abstract double[][] logits(int[] codes, int label);

  final double[] value(String name) {
    double[] v = values.get(name);
    if (v == null) {
      throw new IllegalArgumentException(name);
    }
    return v;
  }

  /** Mean of -log p over all codes, in nats. */
  final double loss(int[] codes, int @Nullable [] classes) {
    int positions = grid.positions();
    double sum = 0;
    for (int b = 0; b < codes.length / positions; b++) {
      int[] own = Arrays.copyOfRange(codes, b * positions, (b + 1) * positions);
      double[][] logits = logits(own, classes == null ? NO_CLASS : classes[b]);
      for (int t = 0; t < positions; t++) {
        double total = 0;
        for (double x : logits[t]) {
          total += Math.exp(x);
        }
        sum += Math.log(total) - logits[t][own[t]];
      }
    }
    return sum / codes.length;
  }

  /** Adds y to x. */
  static double[][] add(double[][] x, double[][] y) {
    for (int p = 0; p < x.length; p++) {
      for (int c = 0; c < x[p].length; c++) {
        x[p][c] += y[p][c];
      }
    }
    return x;
  }
}
