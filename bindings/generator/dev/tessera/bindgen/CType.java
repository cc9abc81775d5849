package dev.tessera.bindgen;

/** A C type as the bindings see it: how C spells it, its layout, and its Java carrier. */
sealed interface CType {
  /** C's spelling, for the snippets in the generated documentation. */
  String spelling();

  /** Size in bytes, on the System V x86-64 ABI. */
  long size();

  /** Alignment in bytes. */
  long alignment();

  /** The constant of the header class with its layout: {@code C_INT}. */
  String layout();

  /** The Java type that values of it have: {@code int}. */
  String carrier();

  /** The type of its layout: {@code OfInt}. */
  String layoutType();

  /** An arithmetic type; enums are one too, as {@code int} under their own name. */
  record Primitive(String spelling, long size, String layout, String carrier, String layoutType)
      implements CType {
    @Override
    public long alignment() {
      return size;
    }

    Primitive named(String name) {
      return new Primitive(name, size, layout, carrier, layoutType);
    }
  }

  /**
   * A pointer to whatever the header knows.
   *
   * @param target C's spelling of what it points to: {@code const ts_tensor}
   */
  record Pointer(String target) implements CType {
    @Override
    public String spelling() {
      return target.endsWith("*") ? target + "*" : target + " *";
    }

    @Override
    public long size() {
      return 8;
    }

    @Override
    public long alignment() {
      return 8;
    }

    @Override
    public String layout() {
      return "C_POINTER";
    }

    @Override
    public String carrier() {
      return "MemorySegment";
    }

    @Override
    public String layoutType() {
      return "AddressLayout";
    }
  }
}
