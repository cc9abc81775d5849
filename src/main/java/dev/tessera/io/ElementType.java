package dev.tessera.io;

import java.util.Arrays;
import java.util.stream.Collectors;

/** Element types of arrays in files, named as safetensors names them; little-endian in memory. */
public enum ElementType {
  F32(4, "<f4"),
  F64(8, "<f8"),
  I32(4, "<i4"),
  I64(8, "<i8"),
  I16(2, "<i2"),
  U16(2, "<u2"),
  U8(1, "|u1");

  private final int bytes;
  private final String numpy;

  ElementType(int bytes, String numpy) {
    this.bytes = bytes;
    this.numpy = numpy;
  }

  /** Size of one element in bytes: 1, 2, 4 or 8. */
  public int bytes() {
    return bytes;
  }

  /** The type as numpy's {@code dtype.str} writes it, such as {@code <f4}. */
  public String numpy() {
    return numpy;
  }

  /** All names, for messages. */
  static String all() {
    return Arrays.stream(values()).map(Enum::name).collect(Collectors.joining(", "));
  }

  /** All numpy names, for messages. */
  static String allNumpy() {
    return Arrays.stream(values()).map(ElementType::numpy).collect(Collectors.joining(", "));
  }
}
