package dev.tessera.bindgen;

import dev.tessera.bindgen.CType.Primitive;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;

/** The names that a declaration may use as a type. */
final class CTypes {
  static final Primitive INT = new Primitive("int", 4, "C_INT", "int", "OfInt");
  private static final Primitive CHAR = new Primitive("char", 1, "C_CHAR", "byte", "OfByte");
  private static final Primitive SHORT = new Primitive("short", 2, "C_SHORT", "short", "OfShort");
  private static final Primitive LONG = new Primitive("long", 8, "C_LONG", "long", "OfLong");

  private final Map<String, Primitive> values = new LinkedHashMap<>();
  private final Map<String, Boolean> structs = new LinkedHashMap<>();

  CTypes() {
    values.put("char", CHAR);
    values.put("float", new Primitive("float", 4, "C_FLOAT", "float", "OfFloat"));
    values.put("double", new Primitive("double", 8, "C_DOUBLE", "double", "OfDouble"));
    for (String sign : new String[] {"", "u"}) {
      values.put(sign + "int8_t", CHAR.named(sign + "int8_t"));
      values.put(sign + "int16_t", SHORT.named(sign + "int16_t"));
      values.put(sign + "int32_t", INT.named(sign + "int32_t"));
      values.put(sign + "int64_t", LONG.named(sign + "int64_t"));
    }
  }

  void addEnum(String name) {
    values.put(name, INT.named(name));
  }

  void addStruct(String name) {
    structs.put(name, true);
  }

  boolean knows(String name) {
    return values.containsKey(name) || structs.containsKey(name);
  }

  /** Whether a pointer to it can be declared: any type that is known, and void. */
  boolean canPointTo(String name) {
    return name.equals("void") || knows(name);
  }

  boolean isStruct(String name) {
    return structs.containsKey(name);
  }

  Optional<Primitive> value(String name) {
    return Optional.ofNullable(values.get(name));
  }
}
