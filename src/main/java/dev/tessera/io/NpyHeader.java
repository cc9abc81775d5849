package dev.tessera.io;

import java.nio.charset.StandardCharsets;
import java.util.Arrays;

/**
 * The header of a {@code .npy} file: a Python dictionary with exactly the keys {@code descr},
 * {@code fortran_order} and {@code shape}. The parser takes what numpy writes and no other Python.
 */
final class NpyHeader {
  private static final int MAX_RANK = 32;
  private static final int GROWTH_DIGITS = 21;

  private final String file;
  private final long start;
  private final String text;
  private int at;

  private NpyHeader(String file, long start, byte[] header) {
    this.file = file;
    this.start = start;
    this.text = new String(header, StandardCharsets.ISO_8859_1);
  }

  /** Element type and shape, whose byte size is known to fit a long. */
  static final class Description {
    final ElementType type;
    final long[] shape;
    final long bytes;

    Description(ElementType type, long[] shape, long bytes) {
      this.type = type;
      this.shape = shape;
      this.bytes = bytes;
    }
  }

  /** Parses {@code header}, which begins at byte {@code start} of {@code file}. */
  static Description parse(String file, long start, byte[] header) throws MalformedFileException {
    return new NpyHeader(file, start, header).description();
  }

  /**
   * The dictionary that numpy writes, with the room it leaves for the first dimension to grow to 21
   * digits, and without the padding that follows.
   */
  static String format(HostArray array) {
    StringBuilder text = new StringBuilder("{'descr': '").append(array.type().numpy());
    text.append("', 'fortran_order': False, 'shape': (");
    long[] shape = array.shape();
    for (int i = 0; i < shape.length; i++) {
      text.append(shape[i]).append(i + 1 < shape.length ? ", " : shape.length == 1 ? "," : "");
    }
    text.append("), }");
    if (shape.length > 0) {
      text.append(" ".repeat(GROWTH_DIGITS - Long.toString(shape[0]).length()));
    }
    return text.toString();
  }

  private Description description() throws MalformedFileException {
    ElementType type = null;
    long[] shape = null;
    boolean order = false;
    expect('{');
    while (peek() != '}') {
      int keyAt = at;
      String key = string();
      expect(':');
      switch (key) {
        case "descr" -> {
          refuseTwice(type != null, key, keyAt);
          type = type();
        }
        case "fortran_order" -> {
          refuseTwice(order, key, keyAt);
          rowMajor();
          order = true;
        }
        case "shape" -> {
          refuseTwice(shape != null, key, keyAt);
          shape = shape();
        }
        default ->
            throw fail(keyAt, "key '" + key + "'; only descr, fortran_order and shape are known");
      }
      if (peek() != ',') {
        break;
      }
      expect(',');
    }
    expect('}');
    skipSpaces();
    if (at != text.length() - 1 || text.charAt(at) != '\n') {
      throw fail(at, "the header must end with spaces and one newline");
    }
    if (type == null || shape == null || !order) {
      throw fail(0, "the header needs the keys descr, fortran_order and shape");
    }
    long bytes = HostArray.byteSize(type, shape);
    if (bytes < 0) {
      throw fail(0, "shape " + HostArray.shapeText(shape) + " has more than 2^63 bytes");
    }
    return new Description(type, shape, bytes);
  }

  private ElementType type() throws MalformedFileException {
    int from = at;
    String descr = string();
    for (ElementType type : ElementType.values()) {
      if (type.numpy().equals(descr)) {
        return type;
      }
    }
    String hint = descr.startsWith(">") ? " (big-endian: convert with astype)" : "";
    throw fail(from, "descr '" + descr + "'" + hint + "; readable are " + ElementType.allNumpy());
  }

  private void rowMajor() throws MalformedFileException {
    skipSpaces();
    if (text.startsWith("True", at)) {
      throw fail(at, "Fortran order; save numpy.ascontiguousarray of the array");
    }
    if (!text.startsWith("False", at)) {
      throw fail(at, "fortran_order must be False");
    }
    at += "False".length();
  }

  private long[] shape() throws MalformedFileException {
    long[] shape = new long[MAX_RANK];
    int rank = 0;
    expect('(');
    while (peek() != ')') {
      if (rank == MAX_RANK) {
        throw fail(at, "more than " + MAX_RANK + " dimensions");
      }
      shape[rank++] = number();
      if (peek() != ',') {
        if (rank == 1) {
          throw fail(at, "a shape of one dimension is written (n,)");
        }
        break;
      }
      expect(',');
    }
    expect(')');
    return Arrays.copyOf(shape, rank);
  }

  private long number() throws MalformedFileException {
    skipSpaces();
    int from = at;
    while (at < text.length() && text.charAt(at) >= '0' && text.charAt(at) <= '9') {
      at++;
    }
    String digits = text.substring(from, at);
    if (digits.isEmpty()
        || digits.length() > 18
        || (digits.length() > 1 && digits.startsWith("0"))) {
      throw fail(from, "a dimension must be a whole number from 0 to 999999999999999999");
    }
    return Long.parseLong(digits);
  }

  private String string() throws MalformedFileException {
    char quote = peek();
    if (quote != '\'' && quote != '"') {
      throw fail(at, "a quoted string should be here");
    }
    int end = text.indexOf(quote, at + 1);
    if (end < 0 || end - at > 64) {
      throw fail(at, "a string without an end");
    }
    String content = text.substring(at + 1, end);
    if (!content.chars().allMatch(c -> c >= ' ' && c <= '~' && c != '\\')) {
      throw fail(at, "a string with characters that numpy does not write");
    }
    at = end + 1;
    return content;
  }

  private void expect(char wanted) throws MalformedFileException {
    if (peek() != wanted) {
      throw fail(at, "'" + wanted + "' should be here");
    }
    at++;
  }

  private char peek() {
    skipSpaces();
    return at < text.length() ? text.charAt(at) : '\0';
  }

  private void skipSpaces() {
    while (at < text.length() && text.charAt(at) == ' ') {
      at++;
    }
  }

  private void refuseTwice(boolean seen, String key, int keyAt) throws MalformedFileException {
    if (seen) {
      throw fail(keyAt, "key '" + key + "' twice");
    }
  }

  private MalformedFileException fail(int position, String problem) {
    return new MalformedFileException(file, start + position, problem);
  }
}
