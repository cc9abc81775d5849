package dev.tessera.train;

/**
 * PSNR and SSIM of an image against its original, both as float pixels in [0, 1], row-major with
 * channels last.
 */
public final class ImageQuality {
  private static final int RADIUS = 5; // the 11x11 window of Wang et al.
  private static final double SIGMA = 1.5;
  private static final double C1 = 0.01 * 0.01; // (K1 L)^2 with range L = 1
  private static final double C2 = 0.03 * 0.03;
  private static final double[] WINDOW = window();

  private final int height;
  private final int width;
  private final int channels;
  private final double[] rows; // a map filtered along rows
  private final double[][] maps = new double[5][]; // filtered x, y, x^2, y^2, xy
  private final double[] plane;

  /** For images of this size; an object is for one thread. */
  public ImageQuality(int height, int width, int channels) {
    if (height <= 2 * RADIUS || width <= 2 * RADIUS) {
      throw new IllegalArgumentException(
          "SSIM's window of 11x11 needs images of at least 11x11 pixels, not "
              + height
              + "x"
              + width);
    }
    this.height = height;
    this.width = width;
    this.channels = channels;
    this.rows = new double[height * (width - 2 * RADIUS)];
    this.plane = new double[height * width];
    for (int i = 0; i < maps.length; i++) {
      maps[i] = new double[(height - 2 * RADIUS) * (width - 2 * RADIUS)];
    }
  }

  /** 10 log10(1 / MSE) in dB; 100 for equal images, so that means stay finite. */
  public double psnr(float[] x, float[] y, int offset) {
    double sum = 0;
    int n = height * width * channels;
    for (int i = offset; i < offset + n; i++) {
      double e = (double) x[i] - y[i];
      sum += e * e;
    }
    return sum == 0 ? 100 : Math.min(100, -10 * Math.log10(sum / n));
  }

  /**
   * The structural similarity of Wang, Bovik, Sheikh and Simoncelli 2004: Gaussian window of 11x11
   * with sigma 1.5, range 1, K1 = 0.01, K2 = 0.03, the mean over all positions where the window
   * fits and over channels.
   */
  public double ssim(float[] x, float[] y, int offset) {
    double sum = 0;
    for (int c = 0; c < channels; c++) {
      filter(x, x, offset + c, Product.FIRST, maps[0]);
      filter(x, y, offset + c, Product.SECOND, maps[1]);
      filter(x, x, offset + c, Product.BOTH, maps[2]);
      filter(y, y, offset + c, Product.BOTH, maps[3]);
      filter(x, y, offset + c, Product.BOTH, maps[4]);
      double channel = 0;
      for (int i = 0; i < maps[0].length; i++) {
        double mx = maps[0][i];
        double my = maps[1][i];
        double vx = maps[2][i] - mx * mx;
        double vy = maps[3][i] - my * my;
        double cov = maps[4][i] - mx * my;
        channel +=
            (2 * mx * my + C1) * (2 * cov + C2) / ((mx * mx + my * my + C1) * (vx + vy + C2));
      }
      sum += channel / maps[0].length;
    }
    return sum / channels;
  }

  private enum Product {
    FIRST,
    SECOND,
    BOTH
  }

  // Gaussian filter of one channel of a, b or a*b, where the window fits.
  private void filter(float[] a, float[] b, int first, Product product, double[] out) {
    for (int i = 0; i < plane.length; i++) {
      int at = first + i * channels;
      plane[i] =
          switch (product) {
            case FIRST -> a[at];
            case SECOND -> b[at];
            case BOTH -> (double) a[at] * b[at];
          };
    }
    int narrow = width - 2 * RADIUS;
    for (int r = 0; r < height; r++) {
      for (int c = 0; c < narrow; c++) {
        double sum = 0;
        for (int k = 0; k < WINDOW.length; k++) {
          sum += WINDOW[k] * plane[r * width + c + k];
        }
        rows[r * narrow + c] = sum;
      }
    }
    for (int r = 0; r < height - 2 * RADIUS; r++) {
      for (int c = 0; c < narrow; c++) {
        double sum = 0;
        for (int k = 0; k < WINDOW.length; k++) {
          sum += WINDOW[k] * rows[(r + k) * narrow + c];
        }
        out[r * narrow + c] = sum;
      }
    }
  }

  private static double[] window() {
    double[] w = new double[2 * RADIUS + 1];
    double sum = 0;
    for (int i = 0; i < w.length; i++) {
      w[i] = Math.exp(-(i - RADIUS) * (i - RADIUS) / (2 * SIGMA * SIGMA));
      sum += w[i];
    }
    for (int i = 0; i < w.length; i++) {
      w[i] /= sum;
    }
    return w;
  }
}
