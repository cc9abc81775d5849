package dev.tessera.benchmarks.limits;

import dev.tessera.benchmarks.results.CaseResult;
import dev.tessera.benchmarks.results.Limits;

/**
 * What an operation must do at least on one core, and how near ours comes: a search scores NKD
 * pairs in the cheapest arithmetic that the core has (2NKD operations), reads rows and codes and
 * writes codes. A training step reads rows, gradient and sums as well, and writes vectors, gradient
 * and codebook. Each is limited by the slower of its arithmetic and its memory.
 *
 * @param operations 2NKD
 * @param bytes that must move between memory and core once
 * @param milliseconds at least, by the limits
 * @param bound arithmetic or memory
 * @param reached {@code milliseconds} over what was measured; may exceed 1, since whole panels of
 *     codes are passed over
 */
public record CostModel(
    double operations, double bytes, double milliseconds, String bound, double reached) {
  private static final double WORD = 4;

  /** Of a case on one thread with rows, codes and a time in milliseconds. */
  public static CostModel of(CaseResult c, Limits limits) {
    double nd = (double) c.n() * c.d();
    double kd = (double) c.k() * c.d();
    boolean step = c.group().equals("vq-step");
    // Step: x twice (forward, backward), gradient in and out, vectors out and in, sums and codes.
    double numbers = step ? 6 * nd + 4 * kd + c.n() : nd + kd + c.n();
    double operations = 2 * nd * c.k();
    double giga = Math.max(limits.fp32(), Math.max(limits.bf16(), limits.int8()));
    double arithmetic = operations / (giga * 1e6);
    double memory = WORD * numbers / (limits.memory() * 1e6);
    double least = Math.max(arithmetic, memory);
    return new CostModel(
        operations,
        WORD * numbers,
        least,
        arithmetic >= memory ? "arithmetic" : "memory",
        least / c.milliseconds(c.ours()));
  }
}
