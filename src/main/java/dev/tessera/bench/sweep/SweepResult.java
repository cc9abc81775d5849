package dev.tessera.bench.sweep;

import dev.tessera.bench.VectorData;
import java.util.Comparator;
import java.util.List;

/**
 * What a sweep found: {@code sweep.json}, and what {@code --json} prints.
 *
 * @param cpu model of the processor
 * @param instructionSets that kernels use on it
 * @param version of Tessera
 * @param data where rows and codes are from
 * @param n rows
 * @param threads of each search
 * @param unavailable families that this processor cannot run
 * @param shapes in ascending order of D, then of K
 * @param within5Percent shapes where the chosen family takes at most 5 % longer than the fastest
 * @param mismatchesVsFloat64 wrong codes, summed over all families and shapes
 */
public record SweepResult(
    String cpu,
    String instructionSets,
    String version,
    String data,
    int n,
    int threads,
    List<String> unavailable,
    List<ShapeResult> shapes,
    int within5Percent,
    long mismatchesVsFloat64) {

  /** A chosen family may take this much longer than the fastest. */
  static final double TOLERANCE = 0.05;

  /**
   * One shape.
   *
   * @param k codes
   * @param d length of rows and codes
   * @param data where its rows and codes are from
   * @param chosen the family that the library chooses by itself
   * @param fastest the one that took the least time
   * @param chosenSlowerBy how much longer the chosen one takes, as a share of the fastest's time
   * @param sgemmGflops of a plain matrix product [N,D] x [D,K]
   * @param sgemmRatioToFp32Peak the product's share of the fp32 peak
   * @param rowsChecked rows whose codes were compared with float64 brute force, for each family
   * @param families all that ran, as in {@link Sweep#FAMILIES}
   */
  public record ShapeResult(
      int k,
      int d,
      String data,
      String chosen,
      String fastest,
      double chosenSlowerBy,
      double sgemmGflops,
      double sgemmRatioToFp32Peak,
      long rowsChecked,
      List<FamilyResult> families) {

    /** From what was measured; {@code families} holds {@code chosen}. */
    static ShapeResult of(
        VectorData data,
        String chosen,
        double sgemmGflops,
        double sgemmRatio,
        long rowsChecked,
        List<FamilyResult> families) {
      FamilyResult fastest =
          families.stream().min(Comparator.comparingDouble(FamilyResult::seconds)).orElseThrow();
      FamilyResult own =
          families.stream().filter(f -> f.family().equals(chosen)).findFirst().orElseThrow();
      return new ShapeResult(
          data.k(),
          data.d(),
          data.description(),
          chosen,
          fastest.family(),
          own.seconds() / fastest.seconds() - 1,
          sgemmGflops,
          sgemmRatio,
          rowsChecked,
          families);
    }

    /** Whether the choice is good enough. */
    boolean withinTolerance() {
      return chosenSlowerBy <= TOLERANCE;
    }
  }

  /**
   * One family on one shape.
   *
   * @param family its name, as in TESSERA_KERNEL
   * @param seconds of a search, the median
   * @param nanosPerRow the same, of one row
   * @param gflops 2 N K D / seconds, in 10^9
   * @param fp32PeakGflops the peak of the threads, measured beside: the median over the shape's
   *     families
   * @param ratioToFp32Peak gflops over it
   * @param candidatesPerRow codes left after all screening
   * @param rescoredRows rows decided in float64
   * @param scannedRows rows that took a full float64 scan
   * @param mismatchesVsFloat64 wrong codes
   * @param repeats measurements
   */
  public record FamilyResult(
      String family,
      double seconds,
      double nanosPerRow,
      double gflops,
      double fp32PeakGflops,
      double ratioToFp32Peak,
      double candidatesPerRow,
      long rescoredRows,
      long scannedRows,
      long mismatchesVsFloat64,
      int repeats) {}
}
