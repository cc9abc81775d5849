package dev.tessera.bindgen;

import java.util.List;
import java.util.Map;
import java.util.OptionalLong;

/**
 * What a header declares.
 *
 * @param macros integer macros by name
 * @param constants enum constants in their order
 */
record Header(
    Map<String, Integer> macros,
    List<EnumConstant> constants,
    List<Struct> structs,
    List<Function> functions) {

  /**
   * @param enumName the tag of the enum that it belongs to
   */
  record EnumConstant(String enumName, String name, int value) {}

  record Struct(String name, List<Field> fields) {}

  /**
   * A field of a struct.
   *
   * @param count the number of elements, or empty if the field is no array
   */
  record Field(String name, CType type, OptionalLong count) {
    long size() {
      return type.size() * count.orElse(1);
    }

    String declaration() {
      String text = type.spelling().endsWith("*") ? type.spelling() : type.spelling() + " ";
      return text + name + (count.isPresent() ? "[" + count.getAsLong() + "]" : "");
    }
  }

  record Function(String name, CType result, List<Parameter> parameters) {
    /** C's declaration, without its semicolon. */
    String declaration() {
      List<String> list = parameters.stream().map(Parameter::declaration).toList();
      String text = result.spelling().endsWith("*") ? result.spelling() : result.spelling() + " ";
      return text + name + "(" + String.join(", ", list) + ")";
    }
  }

  record Parameter(String name, CType type) {
    String declaration() {
      return type.spelling().endsWith("*") ? type.spelling() + name : type.spelling() + " " + name;
    }
  }
}
