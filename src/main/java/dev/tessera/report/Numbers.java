package dev.tessera.report;

import java.math.BigDecimal;
import java.math.MathContext;
import java.util.Locale;

/** Numbers as people read them; the same on every machine. */
final class Numbers {
  /** Stands where there is no number. */
  static final String NONE = "–";

  // Between a number and its unit, so that they stay on one line.
  private static final String SPACE = "\u00a0";

  private Numbers() {}

  /** With so many digits after the point, and thousands grouped. */
  static String fixed(double value, int digits) {
    if (!Double.isFinite(value)) {
      return notFinite(value);
    }
    return minus(String.format(Locale.ROOT, "%,." + digits + "f", value));
  }

  /** A whole number, thousands grouped. */
  static String count(long value) {
    return String.format(Locale.ROOT, "%,d", value);
  }

  /** As {@link #fixed}, with a unit if there is a number. */
  static String withUnit(double value, int digits, String unit) {
    String number = fixed(value, digits);
    return Double.isNaN(value) ? number : number + SPACE + unit;
  }

  /** A share from 0 to 1, in per cent. */
  static String percent(double share) {
    return withUnit(100 * share, 1, "%");
  }

  /**
   * A loss or an error: four decimals in the usual range, a power of ten where those say little.
   */
  static String loss(double value) {
    double size = Math.abs(value);
    if (size == 0 || (size >= 0.001 && size < 100) || !Double.isFinite(value)) {
      return fixed(value, 4);
    }
    return size >= 100 && size < 1e6 ? fixed(value, 1) : scientific(value, 2);
  }

  /** A number of the configuration, exactly. */
  static String exact(double value) {
    double size = Math.abs(value);
    if (!Double.isFinite(value)) {
      return notFinite(value);
    }
    if (size == 0 || (size >= 1e-4 && size < 1e9)) {
      return minus(BigDecimal.valueOf(value).stripTrailingZeros().toPlainString());
    }
    BigDecimal exact = BigDecimal.valueOf(value).stripTrailingZeros();
    int exponent = exact.precision() - exact.scale() - 1;
    return power(exact.scaleByPowerOfTen(-exponent).toPlainString(), exponent);
  }

  /** Short, for an axis: 250, 12.5k, 3M; with at most so many digits. */
  static String compact(double value, int digits) {
    double size = Math.abs(value);
    if (size >= 1e15 || (size > 0 && size < 1e-4)) {
      return scientific(value, digits - 1);
    }
    if (size >= 1e9) {
      return plain(value / 1e9, digits) + "G";
    }
    if (size >= 1e6) {
      return plain(value / 1e6, digits) + "M";
    }
    return size >= 1e4 ? plain(value / 1e3, digits) + "k" : plain(value, digits);
  }

  private static String plain(double value, int digits) {
    BigDecimal rounded = new BigDecimal(value).round(new MathContext(digits));
    return minus(rounded.stripTrailingZeros().toPlainString());
  }

  private static String scientific(double value, int digits) {
    String[] parts = String.format(Locale.ROOT, "%." + digits + "e", value).split("e", 2);
    String mantissa = parts[0].contains(".") ? parts[0].replaceAll("\\.?0+$", "") : parts[0];
    return power(mantissa, Integer.parseInt(parts[1]));
  }

  private static String power(String mantissa, int exponent) {
    StringBuilder text = new StringBuilder();
    if (!mantissa.equals("1")) {
      text.append(minus(mantissa)).append('×');
    }
    text.append("10");
    for (char digit : Integer.toString(exponent).toCharArray()) {
      text.append(digit == '-' ? '⁻' : "⁰¹²³⁴⁵⁶⁷⁸⁹".charAt(digit - '0'));
    }
    return text.toString();
  }

  private static String minus(String text) {
    return text.startsWith("-") ? "−" + text.substring(1) : text;
  }

  private static String notFinite(double value) {
    if (Double.isNaN(value)) {
      return NONE;
    }
    return value > 0 ? "∞" : "−∞";
  }
}
