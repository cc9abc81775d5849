package dev.tessera.report;

import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.util.List;

/**
 * A report's page: title, headline figures, and sections.
 *
 * @param kind what it reports on, above the title
 * @param title of the page
 * @param lead a sentence under the title
 * @param figures the headline
 * @param sections in their order
 */
public record Page(
    String kind, String title, String lead, List<Figure> figures, List<Section> sections) {
  private static final String STYLE_SHEET = "report.css";

  /** The page as HTML that is well-formed XML too. */
  public String html() {
    Markup out = new Markup();
    out.open("html", "lang", "en");
    out.open("head");
    out.empty("meta", "charset", "utf-8");
    out.empty("meta", "name", "viewport", "content", "width=device-width, initial-scale=1");
    out.empty("meta", "name", "color-scheme", "content", "light dark");
    out.element("title", title + " – " + kind);
    out.empty("link", "rel", "icon", "href", "data:,");
    out.style(styleSheet());
    out.close();
    out.open("body");
    out.open("main");
    header(out);
    for (Section section : sections) {
      out.open("section");
      out.open("div", "class", "heading").element("h2", section.title());
      if (!section.note().isEmpty()) {
        out.element("p", section.note());
      }
      out.close();
      out.open("div", "class", "content");
      section.writeTo(out);
      out.close().close();
    }
    out.close().close().close();
    return out.document();
  }

  private void header(Markup out) {
    out.open("header");
    out.element("p", kind, "class", "kind");
    out.element("h1", title);
    out.element("p", lead, "class", "lead");
    out.open("dl", "class", "figures");
    for (Figure figure : figures) {
      out.open("div").element("dt", figure.label());
      out.open("dd").text(figure.value());
      if (!figure.note().isEmpty()) {
        out.element("small", figure.note());
      }
      out.close().close();
    }
    out.close().close();
  }

  private static String styleSheet() {
    try (InputStream in = Page.class.getResourceAsStream(STYLE_SHEET)) {
      if (in == null) {
        throw new IllegalStateException(STYLE_SHEET + " is missing beside " + Page.class);
      }
      return new String(in.readAllBytes(), StandardCharsets.UTF_8);
    } catch (IOException e) {
      throw new IllegalStateException(STYLE_SHEET + " beside " + Page.class, e);
    }
  }
}
