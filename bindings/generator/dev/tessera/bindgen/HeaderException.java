package dev.tessera.bindgen;

/**
 * Something in the header that the generator does not understand; the message has file and line.
 */
public final class HeaderException extends Exception {
  private static final long serialVersionUID = 1L;

  HeaderException(String file, int line, String message) {
    super(file + ":" + line + ": " + message);
  }
}
