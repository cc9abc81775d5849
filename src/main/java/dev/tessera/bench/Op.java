package dev.tessera.bench;

/** The quantiser's ops that are measured. */
public enum Op {
  /** Nearest codes: {@code ts_vq_assign}. */
  ASSIGN,
  /** Codes, code vectors, squared error, counts and sums in one pass: {@code ts_vq_quantize}. */
  QUANTIZE,
  /** Counts and sums of rows whose codes are known: {@code ts_vq_scatter}. */
  UPDATE;

  /**
   * Operations of a call, for its rate: {@code 2 N K D} of a search, by which all searches are
   * compared, whatever they really do; the {@code N D} additions of an update.
   */
  double operations(long n, long k, long d) {
    return this == UPDATE ? (double) n * d : 2.0 * n * k * d;
  }
}
