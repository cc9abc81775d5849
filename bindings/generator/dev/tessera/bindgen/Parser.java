package dev.tessera.bindgen;

import dev.tessera.bindgen.Header.EnumConstant;
import dev.tessera.bindgen.Header.Field;
import dev.tessera.bindgen.Header.Function;
import dev.tessera.bindgen.Header.Parameter;
import dev.tessera.bindgen.Header.Struct;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalLong;
import java.util.Set;

/** Reads declarations from tokens; refuses, with file and line, whatever it does not understand. */
final class Parser {
  private final String file;
  private final List<Token> tokens;
  private int position;

  private final CTypes types = new CTypes();
  private final Map<String, Integer> macros;
  private final Map<String, Integer> values = new LinkedHashMap<>();
  private final List<EnumConstant> constants = new ArrayList<>();
  private final List<Struct> structs = new ArrayList<>();
  private final List<Function> functions = new ArrayList<>();
  private final Set<String> functionNames = new HashSet<>();

  private Parser(String file, List<Token> tokens, Map<String, Integer> macros) {
    this.file = file;
    this.tokens = tokens;
    this.macros = macros;
    values.putAll(macros);
  }

  /**
   * Parses a header.
   *
   * @param file its name in messages
   * @throws HeaderException on anything that is not understood
   */
  static Header parse(String file, String text) throws HeaderException {
    Map<String, Integer> macros = new LinkedHashMap<>();
    List<Token> tokens = new Preprocessor(file, macros).run(Lexer.tokens(file, text));
    return new Parser(file, tokens, macros).run();
  }

  private Header run() throws HeaderException {
    while (peek().kind() != Token.Kind.END) {
      if (peek().is("typedef")) {
        typedef();
      } else {
        function();
      }
    }
    return new Header(macros, constants, structs, functions);
  }

  // typedef enum tag { ... } tag;   typedef struct tag { ... } tag;   typedef struct tag tag;
  private void typedef() throws HeaderException {
    take("typedef");
    Token kind = take();
    if (kind.is("union")) {
      throw fail(kind, "unions are not supported");
    }
    if (!kind.is("enum") && !kind.is("struct")) {
      throw fail(kind, "a typedef of " + kind.shown() + " is not supported: enum or struct only");
    }
    Token tag = takeIdentifier("the tag of the " + kind.text());
    if (kind.is("struct") && !types.isStruct(tag.text())) {
      requireNew(tag);
      types.addStruct(tag.text());
    }
    if (kind.is("enum")) {
      requireNew(tag);
      enumBody(tag);
    } else if (peek().is("{")) {
      structBody(tag);
    }
    Token name = takeIdentifier("the name of the typedef");
    if (!name.text().equals(tag.text())) {
      throw fail(name, "the typedef must have its tag's name, " + tag.text());
    }
    take(";");
  }

  private void requireNew(Token name) throws HeaderException {
    if (types.knows(name.text())) {
      throw fail(name, name.text() + " is declared twice");
    }
  }

  private void enumBody(Token tag) throws HeaderException {
    types.addEnum(tag.text());
    take("{");
    int next = 0;
    while (!peek().is("}")) {
      Token name = takeIdentifier("an enum constant");
      if (peek().is("=")) {
        take("=");
        next = constant();
      }
      if (values.putIfAbsent(name.text(), next) != null) {
        throw fail(name, name.text() + " is declared twice");
      }
      constants.add(new EnumConstant(tag.text(), name.text(), next));
      next++;
      if (!peek().is("}")) {
        take(",");
      }
    }
    take("}");
  }

  private void structBody(Token tag) throws HeaderException {
    if (structs.stream().anyMatch(struct -> struct.name().equals(tag.text()))) {
      throw fail(tag, tag.text() + " is declared twice");
    }
    take("{");
    List<Field> fields = new ArrayList<>();
    while (!peek().is("}")) {
      Token first = peek();
      if (first.is("union") || first.is("struct") || first.is("enum")) {
        throw fail(first, "a nested " + first.text() + " is not supported");
      }
      String base = baseType();
      do {
        fields.add(field(base, fields));
      } while (takeIf(","));
      take(";");
    }
    if (fields.isEmpty()) {
      throw fail(tag, tag.text() + " has no fields");
    }
    take("}");
    structs.add(new Struct(tag.text(), fields));
  }

  private Field field(String base, List<Field> before) throws HeaderException {
    CType type = pointersAfter(base, "a field");
    Token name = takeIdentifier("a field's name");
    if (before.stream().anyMatch(field -> field.name().equals(name.text()))) {
      throw fail(name, "field " + name.text() + " is declared twice");
    }
    if (peek().is(":")) {
      throw fail(peek(), "bit-field " + name.text() + " is not supported");
    }
    OptionalLong count = OptionalLong.empty();
    if (takeIf("[")) {
      Token at = peek();
      count = OptionalLong.of(constant());
      if (count.getAsLong() < 1) {
        throw fail(at, "array " + name.text() + " has no elements");
      }
      take("]");
      if (peek().is("[")) {
        throw fail(peek(), "array " + name.text() + " has more than one dimension: not supported");
      }
    }
    return new Field(name.text(), type, count);
  }

  private void function() throws HeaderException {
    Token first = peek();
    if (first.is("union") || first.is("struct") || first.is("enum") || first.is("extern")) {
      throw fail(first, first.shown() + " is not supported here: a typedef or a function only");
    }
    String base = baseType();
    CType result = base.equals("void") && !peek().is("*") ? VOID : pointersAfter(base, "a result");
    Token name = takeIdentifier("a function's name");
    if (!peek().is("(")) {
      throw fail(peek(), "only typedefs and functions are supported: no variable " + name.text());
    }
    take("(");
    List<Parameter> parameters = new ArrayList<>();
    if (peek().is(")")) {
      throw fail(peek(), "write " + name.text() + "(void): () declares no prototype");
    }
    if (peek().is("void") && peek(1).is(")")) {
      take("void");
    } else {
      do {
        parameters.add(parameter());
      } while (takeIf(","));
    }
    take(")");
    take(";");
    if (!functionNames.add(name.text())) {
      throw fail(name, name.text() + " is declared twice");
    }
    functions.add(new Function(name.text(), result, parameters));
  }

  private Parameter parameter() throws HeaderException {
    if (peek().is("...")) {
      throw fail(peek(), "variable arguments are not supported");
    }
    CType type = pointersAfter(baseType(), "a parameter");
    Token name = takeIdentifier("a parameter's name");
    if (peek().is("[")) {
      throw fail(peek(), "array parameter " + name.text() + " is not supported: use a pointer");
    }
    return new Parameter(name.text(), type);
  }

  /** {@code [const] name}, as C spells it. */
  private String baseType() throws HeaderException {
    boolean isConst = takeIf("const");
    Token name = takeIdentifier("a type");
    if (!types.canPointTo(name.text())) {
      throw fail(name, "unknown type " + name.shown());
    }
    isConst |= takeIf("const");
    return isConst ? "const " + name.text() : name.text();
  }

  /** The type that {@code base} and the stars behind it make. */
  private CType pointersAfter(String base, String what) throws HeaderException {
    String name = base.replaceFirst("^const ", "");
    Token at = peek();
    if (at.is("(")) {
      throw fail(at, "function pointers (callbacks) are not supported");
    }
    if (!at.is("*")) {
      if (types.isStruct(name) || name.equals("void")) {
        throw fail(at, what + " of type " + name + " is not supported: use a pointer");
      }
      return types.value(name).orElseThrow().named(base);
    }
    take("*");
    CType.Pointer pointer = new CType.Pointer(base);
    while (takeIf("*")) {
      pointer = new CType.Pointer(pointer.spelling());
    }
    if (peek().is("const")) {
      throw fail(peek(), "a const pointer is not supported");
    }
    if (peek().is("(")) {
      throw fail(peek(), "function pointers (callbacks) are not supported");
    }
    return pointer;
  }

  /** An integer, or the name of a macro or enum constant. */
  private int constant() throws HeaderException {
    boolean negative = takeIf("-");
    Token token = take();
    Integer value = values.get(token.text());
    if (token.kind() == Token.Kind.NUMBER && !token.text().matches("0[0-9]+")) {
      try {
        value = Integer.decode(token.text());
      } catch (NumberFormatException e) {
        throw fail(token, token.shown() + " is no integer that fits an int");
      }
    }
    if (value == null) {
      throw fail(token, token.shown() + " is no known integer constant");
    }
    return negative ? -value : value;
  }

  private Token peek() {
    return tokens.get(position);
  }

  private Token peek(int ahead) {
    return tokens.get(Math.min(position + ahead, tokens.size() - 1));
  }

  private Token take() {
    Token token = peek();
    if (token.kind() != Token.Kind.END) {
      position++;
    }
    return token;
  }

  private void take(String text) throws HeaderException {
    if (!takeIf(text)) {
      throw fail(peek(), "expected '" + text + "', found " + peek().shown());
    }
  }

  private boolean takeIf(String text) {
    if (!peek().is(text)) {
      return false;
    }
    position++;
    return true;
  }

  private Token takeIdentifier(String what) throws HeaderException {
    if (peek().is("(")) {
      throw fail(peek(), "function pointers (callbacks) are not supported");
    }
    if (peek().kind() != Token.Kind.IDENTIFIER) {
      throw fail(peek(), "expected " + what + ", found " + peek().shown());
    }
    return take();
  }

  private HeaderException fail(Token token, String message) {
    return new HeaderException(file, token.line(), message);
  }

  /** The result of a function that returns nothing. */
  static final CType VOID = new CType.Primitive("void", 0, "", "void", "");
}
