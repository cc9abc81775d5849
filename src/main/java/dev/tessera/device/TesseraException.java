package dev.tessera.device;

import java.io.Serial;

/** A native call failed for a reason that is not a wrong argument: no memory, no such device. */
public class TesseraException extends RuntimeException {
  @Serial private static final long serialVersionUID = 1;

  /** A failure with the library's message. */
  public TesseraException(String message) {
    super(message);
  }
}
