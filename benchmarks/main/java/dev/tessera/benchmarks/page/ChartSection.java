package dev.tessera.benchmarks.page;

import dev.tessera.report.Markup;
import dev.tessera.report.PanelChart;
import dev.tessera.report.Section;

/** A section that is one chart. */
record ChartSection(String title, String note, PanelChart chart) implements Section {
  boolean isEmpty() {
    return chart.rows().stream().allMatch(row -> row.panels().isEmpty());
  }

  @Override
  public void writeTo(Markup out) {
    chart.writeTo(out);
  }
}
