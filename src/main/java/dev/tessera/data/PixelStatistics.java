package dev.tessera.data;

import java.math.BigDecimal;
import java.math.BigInteger;
import java.math.MathContext;

/**
 * Moments of the samples of a data set, scaled to [0, 1] as {@code x / 255}. Sums are exact
 * integers, so the figures are the rounded true ones and do not depend on the order of images.
 *
 * @param samples number of samples: count * height * width * channels
 * @param mean their mean, NaN if there are none
 * @param variance their population variance (numpy's {@code var}), which NMSE divides by; NaN if
 *     there are none
 */
public record PixelStatistics(long samples, double mean, double variance) {
  /** From n samples with the sums of x and of x squared, x in [0, 255]. */
  static PixelStatistics ofSums(long n, BigInteger sum, BigInteger squares) {
    if (n == 0) {
      return new PixelStatistics(0, Double.NaN, Double.NaN);
    }
    BigInteger scale = BigInteger.valueOf(n).multiply(BigInteger.valueOf(255));
    BigInteger spread = squares.multiply(BigInteger.valueOf(n)).subtract(sum.multiply(sum));
    return new PixelStatistics(n, quotient(sum, scale), quotient(spread, scale.multiply(scale)));
  }

  private static double quotient(BigInteger numerator, BigInteger denominator) {
    return new BigDecimal(numerator)
        .divide(new BigDecimal(denominator), new MathContext(40))
        .doubleValue();
  }
}
