package dev.tessera.benchmarks.harness;

import dev.tessera.io.ElementType;
import dev.tessera.io.HostArray;
import dev.tessera.io.Safetensors;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;

/**
 * Whether two libraries computed the same: arrays of the same names and shapes, each within its
 * bound.
 */
public final class Agreement {
  private Agreement() {}

  /**
   * One array's difference.
   *
   * @param name of the array
   * @param error floats: ‖ours − theirs‖ / ‖theirs‖, 2-norms; integers: the share that differs
   * @param bound that the error must keep
   */
  public record Difference(String name, double error, double bound) {
    /** Whether the error keeps its bound; NaN does not. */
    public boolean ok() {
      return error <= bound;
    }
  }

  /** Gives each array its bound. */
  @FunctionalInterface
  public interface Bounds {
    /** The largest error that counts as the same. */
    double of(String array);
  }

  /**
   * Compares two files of outputs.
   *
   * @throws IllegalStateException if names or shapes differ
   */
  public static List<Difference> between(Path ours, Path theirs, Bounds bounds) throws IOException {
    try (Arena arena = Arena.ofConfined()) {
      Map<String, HostArray> a = Safetensors.read(ours, arena).tensors();
      Map<String, HostArray> b = Safetensors.read(theirs, arena).tensors();
      if (!a.keySet().equals(b.keySet())) {
        throw new IllegalStateException(
            "the outputs are not the same ones: " + a.keySet() + " and " + b.keySet());
      }
      List<Difference> differences = new ArrayList<>();
      for (String name : a.keySet()) {
        HostArray x = array(a, name);
        HostArray y = array(b, name);
        if (!Arrays.equals(x.shape(), y.shape())) {
          throw new IllegalStateException(name + " has shape " + x + " here and " + y + " there");
        }
        differences.add(new Difference(name, error(x, y), bounds.of(name)));
      }
      return differences;
    }
  }

  private static double error(HostArray x, HostArray y) {
    double[] a = values(x);
    double[] b = values(y);
    boolean integers = x.type() == ElementType.I32;
    double difference = 0;
    double size = 0;
    for (int i = 0; i < a.length; i++) {
      if (integers) {
        difference += a[i] == b[i] ? 0 : 1;
        size++;
      } else {
        difference += (a[i] - b[i]) * (a[i] - b[i]);
        size += b[i] * b[i];
      }
    }
    if (difference == 0) {
      return 0;
    }
    return integers ? difference / size : Math.sqrt(difference / size);
  }

  private static double[] values(HostArray array) {
    return switch (array.type()) {
      case F64 -> array.toDoubles();
      case I32 -> Arrays.stream(array.toInts()).asDoubleStream().toArray();
      default -> {
        float[] floats = array.toFloats();
        double[] wide = new double[floats.length];
        Arrays.setAll(wide, i -> floats[i]);
        yield wide;
      }
    };
  }

  private static HostArray array(Map<String, HostArray> arrays, String name) {
    HostArray array = arrays.get(name);
    if (array == null) {
      throw new IllegalStateException("no output " + name);
    }
    return array;
  }
}
