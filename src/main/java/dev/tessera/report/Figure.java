package dev.tessera.report;

/**
 * A headline figure.
 *
 * @param label what it is
 * @param value with its unit
 * @param note beside it, in small print; may be empty
 */
public record Figure(String label, String value, String note) {}
