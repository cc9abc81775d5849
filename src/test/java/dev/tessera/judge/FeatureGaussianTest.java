package dev.tessera.judge;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.tessera.data.Philox;
import org.junit.jupiter.api.Test;

/** The Frechet distance against closed forms in float64. */
class FeatureGaussianTest {
  private final long seed = System.nanoTime();
  private final Philox random = new Philox(seed, 0x7010, 0);

  private double[] normals(int n) {
    double[] values = new double[n];
    for (int i = 0; i < n; i++) {
      values[i] = random.nextNormal();
    }
    return values;
  }

  private float[] vectors(int count, int dimensions) {
    float[] values = new float[count * dimensions];
    for (int i = 0; i < values.length; i++) {
      values[i] = (float) (random.nextNormal() * (1 + i % dimensions) + i % dimensions);
    }
    return values;
  }

  /** Random orthogonal rows, by Gram and Schmidt's method applied twice. */
  private double[][] orthogonal(int n) {
    double[][] q = new double[n][];
    for (int i = 0; i < n; i++) {
      q[i] = normals(n);
      for (int pass = 0; pass < 2; pass++) {
        for (int j = 0; j < i; j++) {
          double along = dot(q[i], q[j]);
          for (int k = 0; k < n; k++) {
            q[i][k] -= along * q[j][k];
          }
        }
      }
      double norm = Math.sqrt(dot(q[i], q[i]));
      for (int k = 0; k < n; k++) {
        q[i][k] /= norm;
      }
    }
    return q;
  }

  private static double dot(double[] a, double[] b) {
    double sum = 0;
    for (int i = 0; i < a.length; i++) {
      sum += a[i] * b[i];
    }
    return sum;
  }

  /** Q^T C Q, made exactly symmetric. */
  private static double[][] rotated(double[][] c, double[][] q) {
    int n = c.length;
    double[][] half = new double[n][n]; // C Q
    for (int i = 0; i < n; i++) {
      for (int k = 0; k < n; k++) {
        for (int j = 0; j < n; j++) {
          half[i][j] += c[i][k] * q[k][j];
        }
      }
    }
    double[][] out = new double[n][n];
    for (int i = 0; i < n; i++) {
      for (int j = 0; j <= i; j++) {
        for (int k = 0; k < n; k++) {
          out[i][j] += q[k][i] * half[k][j];
        }
        out[j][i] = out[i][j];
      }
    }
    return out;
  }

  private static double[][] diagonal(double... values) {
    double[][] c = new double[values.length][values.length];
    for (int i = 0; i < values.length; i++) {
      c[i][i] = values[i];
    }
    return c;
  }

  private static double trace(double[][] c) {
    double sum = 0;
    for (int i = 0; i < c.length; i++) {
      sum += c[i][i];
    }
    return sum;
  }

  private void agree(double expected, FeatureGaussian a, FeatureGaussian b, double scale) {
    assertEquals(expected, a.frechetDistance(b), 1e-12 * scale, "seed " + seed);
    assertEquals(expected, b.frechetDistance(a), 1e-12 * scale, "the other way, seed " + seed);
  }

  @Test
  void momentsAreThoseOfTheSetWithTheVarianceOverOneLess() {
    FeatureGaussian two = FeatureGaussian.of(new float[] {0, 2}, 1); // mean 1, variance 2
    FeatureGaussian fives = FeatureGaussian.of(new float[] {5, 5, 5}, 1); // 5 and 0
    FeatureGaussian four = FeatureGaussian.of(new float[] {1, 3, 5, 7}, 1); // 4 and 20/3
    assertEquals(16 + 2, two.frechetDistance(fives), 1e-12);
    double deviations = Math.sqrt(20.0 / 3) - Math.sqrt(2);
    assertEquals(9 + deviations * deviations, two.frechetDistance(four), 1e-12);
    assertEquals(2, two.count());
    assertEquals(1, two.dimensions());
  }

  @Test
  void covariancesBetweenDimensionsCount() {
    // x = y in one set and x = -y in the other: C = 2/1 [1 1; 1 1], C' = [1 -1; -1 1] times 2.
    FeatureGaussian up = FeatureGaussian.of(new float[] {-1, -1, 1, 1}, 2);
    FeatureGaussian down = FeatureGaussian.of(new float[] {-1, 1, 1, -1}, 2);
    assertEquals(8, up.frechetDistance(down), 1e-12); // Tr C + Tr C', and C C' = 0
    assertEquals(0, up.frechetDistance(up), 1e-12);
  }

  @Test
  void diagonalGaussiansWithZerosAmongTheVariances() {
    for (int n : new int[] {1, 2, 7, 40}) {
      double[] a = new double[n];
      double[] b = new double[n];
      double[] m = normals(n);
      double expected = dot(m, m);
      for (int i = 0; i < n; i++) {
        a[i] = i % 5 == 3 ? 0 : Math.exp(3 * random.nextNormal());
        b[i] = i % 4 == 3 ? 0 : Math.exp(3 * random.nextNormal());
        double d = Math.sqrt(a[i]) - Math.sqrt(b[i]);
        expected += d * d;
      }
      FeatureGaussian one = FeatureGaussian.of(9, new double[n], diagonal(a));
      FeatureGaussian other = FeatureGaussian.of(9, m, diagonal(b));
      agree(expected, one, other, 10 * (trace(diagonal(a)) + trace(diagonal(b)) + dot(m, m)));
      double[][] q = orthogonal(n); // the distance of variances does not change with the axes
      one = FeatureGaussian.of(9, new double[n], rotated(diagonal(a), q));
      other = FeatureGaussian.of(9, m, rotated(diagonal(b), q));
      // A variance of 0 is known to 1e-16 of the largest, its root to 1e-8 of the largest's.
      double scale = trace(diagonal(a)) + trace(diagonal(b)) + dot(m, m);
      assertEquals(expected, one.frechetDistance(other), 1e-6 * scale, "seed " + seed);
    }
  }

  @Test
  void covariancesThatDoNotCommute() {
    // Of 2x2 blocks, Tr((A B)^(1/2)) = (Tr(A B) + 2 (det A det B)^(1/2))^(1/2).
    int n = 20;
    double[][] a = new double[n][n];
    double[][] b = new double[n][n];
    double roots = 0;
    for (int i = 0; i < n; i += 2) {
      double[] p = block(a, i);
      double[] r = block(b, i);
      double product = p[0] * r[0] + 2 * p[1] * r[1] + p[2] * r[2];
      double determinants = (p[0] * p[2] - p[1] * p[1]) * (r[0] * r[2] - r[1] * r[1]);
      roots += Math.sqrt(product + 2 * Math.sqrt(determinants));
    }
    double[] m = normals(n);
    double expected = dot(m, m) + trace(a) + trace(b) - 2 * roots;
    double[][] q = orthogonal(n);
    double scale = 10 * (trace(a) + trace(b) + dot(m, m));
    agree(expected, FeatureGaussian.of(9, m, a), FeatureGaussian.of(9, new double[n], b), scale);
    agree(
        expected,
        FeatureGaussian.of(9, m, rotated(a, q)),
        FeatureGaussian.of(9, new double[n], rotated(b, q)),
        scale);
  }

  /** A random positive definite 2x2 block on the diagonal; returns its three elements. */
  private double[] block(double[][] c, int at) {
    double x = random.nextNormal();
    double y = random.nextNormal();
    double z = random.nextNormal();
    double[] p = {x * x + 0.1, x * y, y * y + z * z + 0.1};
    c[at][at] = p[0];
    c[at][at + 1] = p[1];
    c[at + 1][at] = p[1];
    c[at + 1][at + 1] = p[2];
    return p;
  }

  @Test
  void aSetIsAtNoDistanceFromItselfAlsoWithFewerImagesThanDimensions() {
    for (int[] sizes : new int[][] {{200, 30}, {5, 30}, {2, 17}, {31, 30}}) {
      FeatureGaussian set = FeatureGaussian.of(vectors(sizes[0], sizes[1]), sizes[1]);
      double scale = sizes[1] * sizes[1] * (double) sizes[1];
      assertTrue(set.frechetDistance(set) < 1e-10 * scale, sizes[0] + " seed " + seed);
    }
  }

  @Test
  void twoImagesEachAreTwoLines() {
    // C = u u^T and C' = v v^T: the root of their product has the trace |u v|.
    int n = 33;
    float[] a = vectors(2, n);
    float[] b = vectors(2, n);
    double[] u = new double[n];
    double[] v = new double[n];
    double[] m = new double[n];
    for (int i = 0; i < n; i++) {
      u[i] = ((double) a[i] - a[n + i]) / Math.sqrt(2);
      v[i] = ((double) b[i] - b[n + i]) / Math.sqrt(2);
      m[i] = ((double) a[i] + a[n + i] - b[i] - b[n + i]) / 2;
    }
    double expected = dot(m, m) + dot(u, u) + dot(v, v) - 2 * Math.abs(dot(u, v));
    FeatureGaussian one = FeatureGaussian.of(a, n);
    FeatureGaussian other = FeatureGaussian.of(b, n);
    agree(expected, one, other, dot(m, m) + dot(u, u) + dot(v, v));
  }

  @Test
  void scalingTheFeaturesScalesItsSquare() {
    int n = 12;
    float[] a = vectors(40, n);
    float[] b = vectors(50, n);
    double plain = FeatureGaussian.of(a, n).frechetDistance(FeatureGaussian.of(b, n));
    assertTrue(plain > 0.1, "seed " + seed);
    for (double factor : new double[] {0x1p-90, 0x1p90}) {
      double scaled =
          FeatureGaussian.of(times(a, factor), n)
              .frechetDistance(FeatureGaussian.of(times(b, factor), n));
      assertEquals(plain, scaled / factor / factor, 1e-9 * plain, "seed " + seed);
    }
  }

  private static float[] times(float[] values, double factor) {
    float[] scaled = new float[values.length];
    for (int i = 0; i < values.length; i++) {
      scaled[i] = (float) (values[i] * factor);
    }
    return scaled;
  }

  @Test
  void whatIsNoGaussianIsRefused() {
    assertTrue(message(() -> FeatureGaussian.of(new float[] {1, 2}, 2)).contains("at least 2"));
    assertTrue(message(() -> FeatureGaussian.of(new float[] {1, 2, 3}, 2)).contains("3 numbers"));
    float[] holed = {1, 2, 3, 4, 5, Float.NaN};
    assertTrue(message(() -> FeatureGaussian.of(holed, 2)).contains("feature 1 of image 2"));
    FeatureGaussian line = FeatureGaussian.of(new float[] {1, 2}, 1);
    FeatureGaussian plane = FeatureGaussian.of(new float[] {1, 2, 3, 4}, 2);
    assertTrue(message(() -> line.frechetDistance(plane)).contains("1 and of 2"));
    FeatureGaussian wrong = FeatureGaussian.of(9, new double[2], diagonal(1, -1));
    assertTrue(message(() -> wrong.frechetDistance(plane)).contains("negative eigenvalue"));
  }

  private static String message(org.junit.jupiter.api.function.Executable refused) {
    return String.valueOf(assertThrows(IllegalArgumentException.class, refused).getMessage());
  }
}
