package dev.tessera.benchmarks.page;

import dev.tessera.report.Markup;
import java.util.List;

/** A table that scrolls where it is too wide. */
final class DataTable {
  private DataTable() {}

  /** Writes heads and rows; the first cell of a row is its name. */
  static void write(Markup out, String label, List<String> heads, List<List<String>> rows) {
    out.open("div", "class", "scroll wide", "tabindex", "0", "role", "region", "aria-label", label);
    out.open("table", "class", "log").open("thead").open("tr");
    for (String head : heads) {
      out.element("th", head, "scope", "col");
    }
    out.close().close().open("tbody");
    for (List<String> row : rows) {
      out.open("tr").element("th", row.getFirst(), "scope", "row");
      row.subList(1, row.size()).forEach(cell -> out.element("td", cell));
      out.close();
    }
    out.close().close().close();
  }
}
