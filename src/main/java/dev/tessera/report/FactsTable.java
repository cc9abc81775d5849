package dev.tessera.report;

import java.util.ArrayList;
import java.util.List;

/** A small table of names and values. */
final class FactsTable {
  private record Fact(String name, String value, String full) {}

  private final String caption;
  private final List<Fact> facts = new ArrayList<>();

  FactsTable(String caption) {
    this.caption = caption;
  }

  /** Adds a row. */
  FactsTable add(String name, String value) {
    return addShortened(name, value, "");
  }

  /** Adds a row whose value is short for another, which the pointer shows. */
  FactsTable addShortened(String name, String value, String full) {
    facts.add(new Fact(name, value, full));
    return this;
  }

  /** Writes it. */
  void writeTo(Markup out) {
    out.open("table", "class", "facts").element("caption", caption).open("tbody");
    for (Fact fact : facts) {
      out.open("tr").element("th", fact.name(), "scope", "row");
      if (fact.full().isEmpty()) {
        out.element("td", fact.value());
      } else {
        out.element("td", fact.value(), "title", fact.full());
      }
      out.close();
    }
    out.close().close();
  }
}
