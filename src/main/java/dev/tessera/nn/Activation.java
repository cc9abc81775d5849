package dev.tessera.nn;

import dev.tessera.bindings.tessera_h;

/** What a convolution applies to its output in the same pass. */
public enum Activation {
  /** Nothing. */
  NONE(tessera_h.TS_ACTIVATION_NONE()),
  /** {@code max(y, 0)}. */
  RELU(tessera_h.TS_ACTIVATION_RELU());

  private final int code;

  Activation(int code) {
    this.code = code;
  }

  /** The {@code ts_activation}. */
  public int code() {
    return code;
  }
}
