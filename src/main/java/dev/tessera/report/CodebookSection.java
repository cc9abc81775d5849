package dev.tessera.report;

import dev.tessera.train.CodeUsage;

/** How evenly the codes are used. */
final class CodebookSection implements Section {
  private final CodeUsage usage;

  CodebookSection(CodeUsage usage) {
    this.usage = usage;
  }

  @Override
  public String title() {
    return "Codebook";
  }

  @Override
  public String note() {
    return usage.total() == 0 ? "" : "How often the held-out set chose each code.";
  }

  @Override
  public void writeTo(Markup out) {
    if (usage.total() == 0) {
      out.element("p", "No choices of codes were counted.", "class", "nothing");
      return;
    }
    UsageChart chart = new UsageChart(usage.counts());
    chart.writeTo(out);
    out.element(
        "p",
        "Of "
            + Numbers.count(usage.total())
            + " choices, "
            + Numbers.percent(chart.topShare())
            + " fell on code "
            + chart.top()
            + "; half of them fell on the "
            + (chart.half() == 1 ? "most chosen code" : chart.half() + " most chosen codes")
            + ". Perplexity "
            + Numbers.fixed(usage.perplexity(), 1)
            + ": as many codes, all chosen equally often, would say as much.",
        "class",
        "caption");
  }
}
