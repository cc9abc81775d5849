package dev.tessera.device;

import java.io.Serial;

/** A device or library cannot be had on this machine; the message says why. */
public final class DeviceUnavailableException extends TesseraException {
  @Serial private static final long serialVersionUID = 1;

  /** A device that cannot be had, with the library's reason. */
  public DeviceUnavailableException(String message) {
    super(message);
  }
}
