package dev.tessera.bench;

/**
 * Rows to search for and codes to find: x [N,D] and c [K,D], with a word on where they are from.
 */
public final class VectorData {
  private final float[] rows;
  private final float[] codes;
  private final int dim;
  private final String description;

  /**
   * Rows and codes, without a copy.
   *
   * @param rows [N,D]
   * @param codes [K,D]
   * @param dim D
   * @param description for people
   */
  public VectorData(float[] rows, float[] codes, int dim, String description) {
    if (dim < 1 || rows.length % dim != 0 || codes.length % dim != 0 || codes.length == 0) {
      throw new IllegalArgumentException(
          rows.length + " and " + codes.length + " numbers are no rows and codes of " + dim);
    }
    this.rows = rows;
    this.codes = codes;
    this.dim = dim;
    this.description = description;
  }

  /** The rows [N,D]; not a copy. */
  public float[] rows() {
    return rows;
  }

  /** The codes [K,D]; not a copy. */
  public float[] codes() {
    return codes;
  }

  /** Number of rows, N. */
  public int n() {
    return rows.length / dim;
  }

  /** Number of codes, K. */
  public int k() {
    return codes.length / dim;
  }

  /** Length of a row and of a code, D. */
  public int d() {
    return dim;
  }

  /** Where they are from, for people. */
  public String description() {
    return description;
  }
}
