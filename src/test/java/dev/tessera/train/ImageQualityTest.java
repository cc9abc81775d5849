package dev.tessera.train;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import dev.tessera.data.Philox;
import org.junit.jupiter.api.Test;

/** PSNR and SSIM against their formulas written out. */
class ImageQualityTest {
  private static final int H = 14;
  private static final int W = 17;

  private final long seed = System.nanoTime();
  private final Philox random = new Philox(seed, 0x7001, 0);

  private float[] noise(int n) {
    float[] values = new float[n];
    for (int i = 0; i < n; i++) {
      values[i] = random.nextFloat();
    }
    return values;
  }

  @Test
  void psnrIsThatOfTheMeanSquaredError() {
    ImageQuality quality = new ImageQuality(H, W, 1);
    float[] x = new float[H * W];
    float[] y = new float[H * W];
    java.util.Arrays.fill(y, 0.1f);
    assertEquals(20.0, quality.psnr(x, y, 0), 1e-6);
    assertEquals(100.0, quality.psnr(x, x, 0));
  }

  @Test
  void ssimOfEqualImagesIsOneAndOfAConstantIsItsFormula() {
    ImageQuality quality = new ImageQuality(H, W, 3);
    float[] x = noise(H * W * 3);
    assertEquals(1.0, quality.ssim(x, x, 0), 1e-9);
    float[] a = new float[H * W * 3];
    float[] b = new float[H * W * 3];
    java.util.Arrays.fill(a, 0.4f);
    java.util.Arrays.fill(b, 0.6f);
    double c1 = 1e-4;
    assertEquals(
        (2 * 0.24 + c1) / (0.16 + 0.36 + c1), quality.ssim(a, b, 0), 1e-6, "luminance alone");
  }

  /** Window by window, with weights of two dimensions, as in Wang et al. 2004. */
  @Test
  void ssimAgreesWithThePlainFormula() {
    int channels = 2;
    float[] x = noise(2 * H * W * channels);
    float[] y = noise(2 * H * W * channels);
    int offset = H * W * channels;
    double[][] window = new double[11][11];
    double total = 0;
    for (int i = 0; i < 11; i++) {
      for (int j = 0; j < 11; j++) {
        window[i][j] = Math.exp(-((i - 5) * (i - 5) + (j - 5) * (j - 5)) / (2 * 1.5 * 1.5));
        total += window[i][j];
      }
    }
    double expected = 0;
    for (int c = 0; c < channels; c++) {
      for (int r = 0; r + 11 <= H; r++) {
        for (int s = 0; s + 11 <= W; s++) {
          double mx = 0;
          double my = 0;
          for (int i = 0; i < 11; i++) {
            for (int j = 0; j < 11; j++) {
              int at = offset + ((r + i) * W + s + j) * channels + c;
              mx += window[i][j] / total * x[at];
              my += window[i][j] / total * y[at];
            }
          }
          double vx = 0;
          double vy = 0;
          double cov = 0;
          for (int i = 0; i < 11; i++) {
            for (int j = 0; j < 11; j++) {
              int at = offset + ((r + i) * W + s + j) * channels + c;
              vx += window[i][j] / total * (x[at] - mx) * (x[at] - mx);
              vy += window[i][j] / total * (y[at] - my) * (y[at] - my);
              cov += window[i][j] / total * (x[at] - mx) * (y[at] - my);
            }
          }
          expected +=
              (2 * mx * my + 1e-4)
                  * (2 * cov + 9e-4)
                  / ((mx * mx + my * my + 1e-4) * (vx + vy + 9e-4));
        }
      }
    }
    expected /= channels * (H - 10.0) * (W - 10.0);
    assertEquals(
        expected, new ImageQuality(H, W, channels).ssim(x, y, offset), 1e-9, "seed " + seed);
  }

  @Test
  void imagesSmallerThanTheWindowAreRefused() {
    assertThrows(IllegalArgumentException.class, () -> new ImageQuality(10, 20, 1));
  }

  @Test
  void perplexityAndUsage() {
    CodeUsage usage = CodeUsage.of(new long[] {5, 5, 0, 0});
    assertEquals(2.0, usage.perplexity(), 1e-12);
    assertEquals(0.5, usage.usage());
    usage.add(new int[] {2, 2, 2, 2, 2, 3, 3, 3, 3, 3});
    assertEquals(4.0, usage.perplexity(), 1e-12);
    assertEquals(20, usage.total());
    assertEquals(0.0, new CodeUsage(3).perplexity());
  }
}
