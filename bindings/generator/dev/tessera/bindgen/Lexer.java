package dev.tessera.bindgen;

import java.util.ArrayList;
import java.util.List;

/** Splits a header into tokens: drops comments, and gives each preprocessor line as one token. */
final class Lexer {
  private final String file;
  private final String text;
  private int position;
  private int line = 1;
  private boolean atLineStart = true;

  private Lexer(String file, String text) {
    this.file = file;
    this.text = text;
  }

  static List<Token> tokens(String file, String text) throws HeaderException {
    return new Lexer(file, text).run();
  }

  private List<Token> run() throws HeaderException {
    List<Token> tokens = new ArrayList<>();
    while (true) {
      skipBlanksAndComments();
      if (position >= text.length()) {
        tokens.add(new Token(Token.Kind.END, "", line));
        return tokens;
      }
      tokens.add(next());
      atLineStart = false;
    }
  }

  private Token next() throws HeaderException {
    char c = text.charAt(position);
    int start = position;
    if (c == '#' && atLineStart) {
      return directive();
    }
    if (isIdentifierStart(c)) {
      while (position < text.length() && isIdentifierPart(text.charAt(position))) {
        position++;
      }
      return new Token(Token.Kind.IDENTIFIER, text.substring(start, position), line);
    }
    if (c >= '0' && c <= '9') {
      while (position < text.length()
          && (isIdentifierPart(text.charAt(position)) || text.charAt(position) == '.')) {
        position++;
      }
      return new Token(Token.Kind.NUMBER, text.substring(start, position), line);
    }
    if (text.startsWith("...", position)) {
      position += 3;
      return new Token(Token.Kind.PUNCTUATION, "...", line);
    }
    // A string is let through only for extern "C" inside #ifdef __cplusplus, which is skipped.
    if (c == '"') {
      position = text.indexOf('"', position + 1) + 1;
      if (position == 0) {
        throw new HeaderException(file, line, "a string without an end");
      }
      return new Token(Token.Kind.PUNCTUATION, text.substring(start, position), line);
    }
    if ("{}()[];,*=:-".indexOf(c) < 0) {
      throw new HeaderException(file, line, "character '" + c + "' is not understood");
    }
    position++;
    return new Token(Token.Kind.PUNCTUATION, String.valueOf(c), line);
  }

  /** A line that begins with '#', up to its end; a continued line is refused. */
  private Token directive() throws HeaderException {
    int startLine = line;
    StringBuilder words = new StringBuilder();
    while (position < text.length() && text.charAt(position) != '\n') {
      if (text.charAt(position) == '\\') {
        throw new HeaderException(file, line, "a continued preprocessor line is not understood");
      }
      if (text.startsWith("/*", position) || text.startsWith("//", position)) {
        int before = line;
        skipComment();
        if (line != before) {
          break;
        }
        words.append(' ');
      } else {
        words.append(text.charAt(position++));
      }
    }
    String shown = words.toString().replaceAll("\\s+", " ").replaceFirst("^# ", "#").strip();
    return new Token(Token.Kind.DIRECTIVE, shown, startLine);
  }

  private void skipBlanksAndComments() throws HeaderException {
    while (position < text.length()) {
      char c = text.charAt(position);
      if (c == '\n') {
        line++;
        atLineStart = true;
        position++;
      } else if (c == ' ' || c == '\t' || c == '\r') {
        position++;
      } else if (text.startsWith("/*", position) || text.startsWith("//", position)) {
        skipComment();
      } else {
        return;
      }
    }
  }

  private void skipComment() throws HeaderException {
    boolean block = text.startsWith("/*", position);
    int end = block ? text.indexOf("*/", position + 2) : text.indexOf('\n', position);
    if (end < 0 && block) {
      throw new HeaderException(file, line, "a comment without an end");
    }
    int next = end < 0 ? text.length() : block ? end + 2 : end;
    for (; position < next; position++) {
      if (text.charAt(position) == '\n') {
        line++;
        atLineStart = true;
      }
    }
  }

  private static boolean isIdentifierStart(char c) {
    return c == '_' || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
  }

  private static boolean isIdentifierPart(char c) {
    return isIdentifierStart(c) || (c >= '0' && c <= '9');
  }
}
