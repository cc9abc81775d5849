package dev.tessera.bench;

/**
 * Compares what {@code quantize} and {@code update} write beside codes with plain Java, bit for
 * bit: the header fixes the order of every addition.
 */
final class OutputCheck {
  private static final int BLOCK = 1024;

  private OutputCheck() {}

  /** Elements of {@code quantized} [N,D] that are not those of the rows' codes. */
  static long quantized(VectorData data, int[] codes, float[] quantized) {
    long wrong = 0;
    int d = data.d();
    for (int row = 0; row < codes.length; row++) {
      for (int i = 0; i < d; i++) {
        wrong += differ(quantized[row * d + i], data.codes()[codes[row] * d + i]);
      }
    }
    return wrong;
  }

  /** 1 if {@code error} is not the sum of squared differences between rows and codes, else 0. */
  static long squaredError(VectorData data, int[] codes, double error) {
    int d = data.d();
    double total = 0;
    for (int from = 0; from < codes.length; from += BLOCK) {
      double block = 0;
      for (int row = from; row < Math.min(codes.length, from + BLOCK); row++) {
        double sum = 0;
        for (int i = 0; i < d; i++) {
          double diff = (double) data.rows()[row * d + i] - data.codes()[codes[row] * d + i];
          sum = Math.fma(diff, diff, sum);
        }
        block += sum;
      }
      total += block;
    }
    return Double.doubleToRawLongBits(total) == Double.doubleToRawLongBits(error) ? 0 : 1;
  }

  /** Elements of {@code counts} [K] and {@code sums} [K,D] that are not those of the rows. */
  static long scatter(VectorData data, int[] codes, int[] counts, float[] sums) {
    ScatterReference right = new ScatterReference(data.rows(), data.d(), codes, data.k());
    long wrong = 0;
    for (int i = 0; i < counts.length; i++) {
      wrong += counts[i] == right.counts()[i] ? 0 : 1;
    }
    for (int i = 0; i < sums.length; i++) {
      wrong += differ(sums[i], right.sums()[i]);
    }
    return wrong;
  }

  private static int differ(float a, float b) {
    return Float.floatToRawIntBits(a) == Float.floatToRawIntBits(b) ? 0 : 1;
  }
}
