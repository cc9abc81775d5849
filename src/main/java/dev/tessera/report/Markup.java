package dev.tessera.report;

import java.util.ArrayDeque;
import java.util.Deque;
import java.util.Set;

/**
 * Writes HTML and SVG that is well-formed XML too. Every text and attribute value is escaped, and
 * an element that is opened must be closed. Attributes are given as names and values in turn.
 */
public final class Markup {
  // A line break after these changes nothing that is seen, and makes the source readable.
  private static final Set<String> BLOCKS =
      Set.of(
          "html",
          "head",
          "meta",
          "link",
          "style",
          "body",
          "main",
          "header",
          "section",
          "footer",
          "div",
          "h1",
          "h2",
          "h3",
          "p",
          "dl",
          "figure",
          "figcaption",
          "table",
          "caption",
          "thead",
          "tbody",
          "tr",
          "details",
          "pre",
          "svg",
          "g",
          "path",
          "rect",
          "line");

  private final StringBuilder out = new StringBuilder();
  private final Deque<String> open = new ArrayDeque<>();

  Markup() {}

  /** Opens an element. */
  public Markup open(String tag, String... attributes) {
    start(tag, attributes);
    out.append('>');
    open.push(tag);
    return this;
  }

  /** Closes the element opened last. */
  public Markup close() {
    String tag = open.pop();
    out.append("</").append(tag).append('>');
    breakAfter(tag);
    return this;
  }

  /** An element without content: HTML's void elements and any of SVG's. */
  public Markup empty(String tag, String... attributes) {
    start(tag, attributes);
    out.append("/>");
    breakAfter(tag);
    return this;
  }

  /** An element that holds a text. */
  public Markup element(String tag, String text, String... attributes) {
    return open(tag, attributes).text(text).close();
  }

  /** A text. */
  public Markup text(String text) {
    escape(text, false);
    return this;
  }

  /**
   * The page's style sheet, which HTML does not unescape.
   *
   * @throws IllegalArgumentException if it holds what HTML and XML would read differently
   */
  Markup style(String css) {
    if (css.indexOf('<') >= 0 || css.indexOf('&') >= 0) {
      throw new IllegalArgumentException("a style sheet in a page may hold neither < nor &");
    }
    open("style");
    out.append('\n').append(css);
    return close();
  }

  /**
   * The document.
   *
   * @throws IllegalStateException if an element is still open
   */
  String document() {
    return "<!DOCTYPE html>\n" + fragment();
  }

  /**
   * What was written, without a document type: SVG by itself.
   *
   * @throws IllegalStateException if an element is still open
   */
  String fragment() {
    if (!open.isEmpty()) {
      throw new IllegalStateException("<" + open.peek() + "> was not closed");
    }
    return out.toString();
  }

  private void start(String tag, String[] attributes) {
    if (attributes.length % 2 != 0) {
      throw new IllegalArgumentException("attribute " + attributes[attributes.length - 1]);
    }
    out.append('<').append(tag);
    for (int i = 0; i < attributes.length; i += 2) {
      out.append(' ').append(attributes[i]).append("=\"");
      escape(attributes[i + 1], true);
      out.append('"');
    }
  }

  private void breakAfter(String tag) {
    if (BLOCKS.contains(tag)) {
      out.append('\n');
    }
  }

  private void escape(String text, boolean attribute) {
    text.codePoints()
        .forEach(
            c -> {
              switch (c) {
                case '&' -> out.append("&amp;");
                case '<' -> out.append("&lt;");
                case '>' -> out.append("&gt;");
                case '"' -> out.append("&quot;");
                case '\'' -> out.append("&#39;");
                case '\n', '\t' -> {
                  if (attribute) {
                    out.append("&#").append(c).append(';');
                  } else {
                    out.append((char) c);
                  }
                }
                default -> out.appendCodePoint(allowed(c) ? c : 0xFFFD);
              }
            });
  }

  // XML 1.0's Char without carriage return, which parsers would turn into a line feed, and without
  // C1 controls and noncharacters, which HTML calls errors; half a surrogate pair is none either.
  private static boolean allowed(int c) {
    return c >= 0x20
        && !(c >= 0x7F && c <= 0x9F)
        && !(c >= 0xD800 && c <= 0xDFFF)
        && !(c >= 0xFDD0 && c <= 0xFDEF)
        && (c & 0xFFFE) != 0xFFFE;
  }
}
