package dev.tessera.device;

import java.io.Serial;

/** The values of a tensor are at fault: a row with a NaN or an infinity, a code out of range. */
public final class DataFaultException extends TesseraException {
  @Serial private static final long serialVersionUID = 1;

  private final long row;

  DataFaultException(String message, long row) {
    super(message);
    this.row = row;
  }

  /** The lowest row (or code, or position of a code) at fault. */
  public long row() {
    return row;
  }
}
