package dev.tessera.bindgen;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Takes the preprocessor lines out of a header. Understood are the include guard, {@code #include
 * <stdint.h>}, {@code #ifdef __cplusplus} (its block is for C++ and is skipped) and macros that are
 * one integer; everything else is refused.
 */
final class Preprocessor {
  private static final Pattern DEFINE =
      Pattern.compile("#define ([A-Za-z_][A-Za-z_0-9]*)(\\(.*)?(?: (.*))?");
  private static final Pattern INTEGER =
      Pattern.compile("\\(?(-?(?:0[xX][0-9a-fA-F]+|[0-9]+))\\)?");

  private final String file;
  private final Map<String, Integer> macros;
  private final List<Token> output = new ArrayList<>();
  private String guard = "";
  private int depth;

  /**
   * @param macros filled with the integer macros, in their order
   */
  Preprocessor(String file, Map<String, Integer> macros) {
    this.file = file;
    this.macros = macros;
  }

  List<Token> run(List<Token> tokens) throws HeaderException {
    boolean cplusplus = false;
    for (Token token : tokens) {
      if (token.kind() != Token.Kind.DIRECTIVE) {
        if (!cplusplus) {
          output.add(token);
        }
        continue;
      }
      String text = token.text();
      if (cplusplus) {
        if (!text.equals("#endif")) {
          throw fail(token, "only declarations may stand in #ifdef __cplusplus");
        }
        cplusplus = false;
      } else if (text.equals("#ifdef __cplusplus")) {
        cplusplus = true;
      } else {
        directive(token, text);
      }
    }
    Token end = tokens.getLast();
    if (cplusplus || depth != 0) {
      throw fail(end, "an #if without its #endif");
    }
    return output;
  }

  private void directive(Token token, String text) throws HeaderException {
    if (text.startsWith("#ifndef ") && guard.isEmpty() && output.isEmpty()) {
      guard = text.substring("#ifndef ".length());
      depth = 1;
    } else if (text.equals("#endif") && depth == 1) {
      depth = 0;
    } else if (text.startsWith("#include ")) {
      if (!text.equals("#include <stdint.h>")) {
        throw fail(token, text + " is not understood: the header may include <stdint.h> alone");
      }
    } else if (text.startsWith("#define ")) {
      define(token, text);
    } else {
      throw fail(token, text + " is not understood");
    }
  }

  private void define(Token token, String text) throws HeaderException {
    Matcher parts = DEFINE.matcher(text);
    if (!parts.matches()) {
      throw fail(token, text + " is not understood");
    }
    String name = parts.group(1);
    if (parts.group(2) != null) {
      throw fail(token, "function-like macro " + name + " is not supported");
    }
    String value = parts.group(3) == null ? "" : parts.group(3);
    if (value.isEmpty() && name.equals(guard)) {
      return;
    }
    Matcher integer = INTEGER.matcher(value);
    if (!integer.matches()) {
      throw fail(token, "macro " + name + " must be one integer, but is '" + value + "'");
    }
    if (macros.putIfAbsent(name, integer(token, integer.group(1))) != null) {
      throw fail(token, "macro " + name + " is defined twice");
    }
  }

  private int integer(Token token, String digits) throws HeaderException {
    try {
      return Integer.decode(octalRefused(token, digits));
    } catch (NumberFormatException e) {
      throw fail(token, digits + " does not fit an int");
    }
  }

  private String octalRefused(Token token, String digits) throws HeaderException {
    if (digits.matches("-?0[0-9]+")) {
      throw fail(token, "octal number " + digits + " is not understood");
    }
    return digits;
  }

  private HeaderException fail(Token token, String message) {
    return new HeaderException(file, token.line(), message);
  }
}
