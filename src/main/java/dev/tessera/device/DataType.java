package dev.tessera.device;

import dev.tessera.bindings.tessera_h;

/** The element types of tensors, as in {@code ts_dtype}. */
public enum DataType {
  /** 32-bit IEEE float. */
  F32(tessera_h.TS_F32(), 4),
  /** 64-bit IEEE float. */
  F64(tessera_h.TS_F64(), 8),
  /** 32-bit signed integer. */
  I32(tessera_h.TS_I32(), 4),
  /** 64-bit signed integer. */
  I64(tessera_h.TS_I64(), 8),
  /** 8-bit unsigned integer. */
  U8(tessera_h.TS_U8(), 1);

  private final int code;
  private final int bytes;

  DataType(int code, int bytes) {
    this.code = code;
    this.bytes = bytes;
  }

  /** The {@code ts_dtype} of the header. */
  int code() {
    return code;
  }

  /** Size of an element in bytes. */
  public int bytes() {
    return bytes;
  }
}
