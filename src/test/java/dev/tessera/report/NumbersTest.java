package dev.tessera.report;

import static org.junit.jupiter.api.Assertions.assertEquals;

import org.junit.jupiter.api.Test;

class NumbersTest {
  @Test
  void lossesKeepWhatTheySay() {
    assertEquals("0.0442", Numbers.loss(0.04421));
    assertEquals("0.0000", Numbers.loss(0));
    assertEquals("7.67×10⁻⁴", Numbers.loss(7.67316e-4));
    assertEquals("−2×10⁻⁷", Numbers.loss(-2e-7));
    assertEquals("12.5000", Numbers.loss(12.5));
    assertEquals("1,234.5", Numbers.loss(1234.5));
    assertEquals("1.5×10¹²", Numbers.loss(1.5e12));
    assertEquals("–", Numbers.loss(Double.NaN));
    assertEquals("∞", Numbers.loss(Double.POSITIVE_INFINITY));
    assertEquals("−∞", Numbers.loss(Double.NEGATIVE_INFINITY));
  }

  @Test
  void settingsAreExact() {
    assertEquals("0.0003", Numbers.exact(3e-4));
    assertEquals("10⁻⁵", Numbers.exact(1e-5));
    assertEquals("1.25×10⁻⁸", Numbers.exact(1.25e-8));
    assertEquals("0.99", Numbers.exact(0.99));
    assertEquals("0.1234567890123", Numbers.exact(0.1234567890123));
    assertEquals("0", Numbers.exact(0));
    assertEquals("100", Numbers.exact(100));
    assertEquals("2.5×10¹²", Numbers.exact(2.5e12));
  }

  @Test
  void axesAreShort() {
    assertEquals("0", Numbers.compact(0, 4));
    assertEquals("0.025", Numbers.compact(0.025, 4));
    assertEquals("60", Numbers.compact(60, 4));
    assertEquals("2000", Numbers.compact(2000, 4));
    assertEquals("12.5k", Numbers.compact(12_500, 4));
    assertEquals("300k", Numbers.compact(300_000, 4));
    assertEquals("1.5M", Numbers.compact(1_500_000, 4));
    assertEquals("2G", Numbers.compact(2e9, 4));
    assertEquals("10⁻⁶", Numbers.compact(1e-6, 4));
    assertEquals("5×10¹⁷", Numbers.compact(5e17, 4));
    assertEquals("13k", Numbers.compact(12_500, 2));
    assertEquals("−250", Numbers.compact(-250, 4));
  }

  @Test
  void sharesArePercentages() {
    assertEquals("93.8\u00a0%", Numbers.percent(0.9375));
    assertEquals("–", Numbers.percent(Double.NaN));
  }
}
