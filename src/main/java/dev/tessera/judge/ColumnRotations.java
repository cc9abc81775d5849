package dev.tessera.judge;

/**
 * One-sided Jacobi rotations (Hestenes 1958, "Inversion of matrices by biorthogonalization and
 * related results"; Demmel and Veselic 1992 on its accuracy): columns are rotated in pairs until
 * all are orthogonal. Then {@code A V = U S}: the columns' norms are the singular values of A.
 * Everything is float64. Small singular values come out as exactly as large ones, which roots of
 * eigenvalues would not.
 */
final class ColumnRotations {
  private static final int MOST_SWEEPS = 60; // ten are usual for 128 columns

  private ColumnRotations() {}

  /**
   * Makes the columns orthogonal, in place; those that are nothing beside the largest become zero.
   *
   * @param columns {@code [C][R]}, all finite
   * @return the norms of the columns, the singular values, in no order
   */
  static double[] orthogonalize(double[][] columns) {
    double roundoff = columns.length == 0 ? 0 : columns[0].length * 0x1p-53;
    boolean rotated = true;
    for (int sweep = 0; rotated; sweep++) {
      if (sweep == MOST_SWEEPS) {
        throw new IllegalStateException("no end after " + sweep + " sweeps of rotations");
      }
      clearNothings(columns, roundoff);
      rotated = false;
      for (int p = 0; p < columns.length; p++) {
        for (int q = p + 1; q < columns.length; q++) {
          rotated |= rotate(columns[p], columns[q], roundoff);
        }
      }
    }
    double[] norms = new double[columns.length];
    for (int c = 0; c < norms.length; c++) {
      norms[c] = Math.sqrt(dot(columns[c], columns[c]));
    }
    return norms;
  }

  // Columns of rounding errors alone have no direction to make orthogonal.
  private static void clearNothings(double[][] columns, double roundoff) {
    double most = 0;
    for (double[] column : columns) {
      most = Math.max(most, dot(column, column));
    }
    for (double[] column : columns) {
      if (Math.sqrt(dot(column, column)) <= roundoff * Math.sqrt(most)) {
        java.util.Arrays.fill(column, 0);
      }
    }
  }

  private static boolean rotate(double[] a, double[] b, double roundoff) {
    double aa = dot(a, a);
    double bb = dot(b, b);
    double ab = dot(a, b);
    if (Math.abs(ab) <= roundoff * Math.sqrt(aa) * Math.sqrt(bb)) {
      return false;
    }
    // The smaller root of t^2 + 2 zeta t - 1 = 0 (Golub and Van Loan, section 8.5.2).
    double zeta = (bb - aa) / (2 * ab);
    double t = Math.copySign(1, zeta) / (Math.abs(zeta) + Math.hypot(1, zeta));
    double c = 1 / Math.hypot(1, t);
    double s = c * t;
    for (int i = 0; i < a.length; i++) {
      double x = a[i];
      a[i] = c * x - s * b[i];
      b[i] = s * x + c * b[i];
    }
    return true;
  }

  static double dot(double[] a, double[] b) {
    double sum = 0;
    for (int i = 0; i < a.length; i++) {
      sum += a[i] * b[i];
    }
    return sum;
  }
}
