package dev.tessera.bench.sweep;

import dev.tessera.bench.sweep.SweepResult.FamilyResult;
import dev.tessera.bench.sweep.SweepResult.ShapeResult;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/** A sweep as tables: all of it as {@code sweep.csv}, and the ratios for people. */
public final class SweepTable {
  private static final String HEAD =
      "n,k,d,threads,family,seconds,ns_per_row,gflops,fp32_peak_gflops,ratio_to_fp32_peak,"
          + "sgemm_gflops,candidates_per_row,rescored_rows,scanned_rows,mismatches_vs_float64,"
          + "rows_checked,repeats,chosen,slower_than_fastest";

  private SweepTable() {}

  /** One line a family and shape, with a head; numbers as Java prints them. */
  public static String csv(SweepResult sweep) {
    StringBuilder csv = new StringBuilder(HEAD).append('\n');
    for (ShapeResult shape : sweep.shapes()) {
      double best =
          shape.families().stream().mapToDouble(FamilyResult::seconds).min().orElseThrow();
      for (FamilyResult f : shape.families()) {
        List<Object> cells =
            List.of(
                sweep.n(),
                shape.k(),
                shape.d(),
                sweep.threads(),
                f.family(),
                f.seconds(),
                f.nanosPerRow(),
                f.gflops(),
                f.fp32PeakGflops(),
                f.ratioToFp32Peak(),
                shape.sgemmGflops(),
                f.candidatesPerRow(),
                f.rescoredRows(),
                f.scannedRows(),
                f.mismatchesVsFloat64(),
                shape.rowsChecked(),
                f.repeats(),
                f.family().equals(shape.chosen()),
                f.seconds() / best - 1);
        csv.append(String.join(",", cells.stream().map(Object::toString).toList())).append('\n');
      }
    }
    return csv.toString();
  }

  /** Ratios to the fp32 peak, one line a shape; the chosen family has a star. */
  public static List<String> text(SweepResult sweep) {
    List<String> names =
        sweep.shapes().getFirst().families().stream().map(FamilyResult::family).toList();
    List<String> lines = new ArrayList<>();
    StringBuilder head = new StringBuilder(String.format(Locale.ROOT, "%5s %6s", "D", "K"));
    names.forEach(name -> head.append(String.format(Locale.ROOT, " %12s", name)));
    lines.add(head + String.format(Locale.ROOT, " %7s  %s", "sgemm", "chosen is slower by"));
    for (ShapeResult shape : sweep.shapes()) {
      StringBuilder line =
          new StringBuilder(String.format(Locale.ROOT, "%5d %6d", shape.d(), shape.k()));
      for (FamilyResult f : shape.families()) {
        String star = f.family().equals(shape.chosen()) ? "*" : " ";
        line.append(String.format(Locale.ROOT, " %11.2f%s", f.ratioToFp32Peak(), star));
      }
      line.append(String.format(Locale.ROOT, " %7.2f", shape.sgemmRatioToFp32Peak()));
      line.append(
          String.format(Locale.ROOT, "  %5.1f %%%s", 100 * shape.chosenSlowerBy(), note(shape)));
      lines.add(line.toString());
    }
    return lines;
  }

  private static String note(ShapeResult shape) {
    return shape.withinTolerance() ? "" : "  (" + shape.fastest() + " is faster)";
  }
}
