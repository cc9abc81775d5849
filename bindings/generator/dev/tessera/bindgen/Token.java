package dev.tessera.bindgen;

/**
 * A word of the header.
 *
 * @param text the identifier, the number as written, or one punctuation character ({@code ...} is
 *     one token)
 * @param line where it stands, counted from 1
 */
record Token(Kind kind, String text, int line) {
  enum Kind {
    IDENTIFIER,
    NUMBER,
    PUNCTUATION,
    /** A whole line {@code #...}; its text has no comments and single spaces. */
    DIRECTIVE,
    END
  }

  boolean is(String expected) {
    return text.equals(expected) && kind != Kind.DIRECTIVE;
  }

  /** For messages: {@code 'x'}, or "the end of the file". */
  String shown() {
    return kind == Kind.END ? "the end of the file" : "'" + text + "'";
  }
}
