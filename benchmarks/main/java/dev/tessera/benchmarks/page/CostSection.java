package dev.tessera.benchmarks.page;

import dev.tessera.benchmarks.limits.CostModel;
import dev.tessera.benchmarks.results.CaseResult;
import dev.tessera.benchmarks.results.Limits;
import dev.tessera.benchmarks.results.Results;
import dev.tessera.benchmarks.vq.VqCases;
import dev.tessera.report.Markup;
import dev.tessera.report.Section;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/** What operations must do at least, and the share of the limit that ours reach. */
record CostSection(Results results) implements Section {
  private static final List<String> HEADS =
      List.of("case", "operations", "bytes", "at least", "limit", "measured", "reached");

  @Override
  public String title() {
    return "Cost model";
  }

  @Override
  public String note() {
    Limits l = results.limits();
    return String.format(
        Locale.ROOT,
        "One core, measured in this run: %.0f GFLOP/s fp32, %.0f bf16, %.0f GOP/s int8; it reads"
            + " %.0f GB/s from L2 and %.1f from memory.",
        l.fp32(),
        l.bf16(),
        l.int8(),
        l.l2(),
        l.memory());
  }

  @Override
  public void writeTo(Markup out) {
    List<List<String>> rows = new ArrayList<>();
    for (CaseResult c : results.cases()) {
      boolean modelled = List.of(VqCases.ASSIGN, VqCases.LENGTHS, VqCases.STEP).contains(c.group());
      if (!modelled) {
        continue;
      }
      CostModel cost = CostModel.of(c, results.limits());
      rows.add(
          List.of(
              c.name(),
              String.format(Locale.ROOT, "%.2f G", cost.operations() / 1e9),
              String.format(Locale.ROOT, "%.1f MB", cost.bytes() / 1e6),
              String.format(Locale.ROOT, "%.2f ms", cost.milliseconds()),
              cost.bound(),
              String.format(Locale.ROOT, "%.2f ms", c.milliseconds(c.ours())),
              String.format(Locale.ROOT, "%.0f %%", 100 * cost.reached())));
    }
    DataTable.write(out, "Cost model", HEADS, rows);
  }
}
