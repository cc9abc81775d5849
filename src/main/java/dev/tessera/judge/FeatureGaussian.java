package dev.tessera.judge;

/**
 * A set of feature vectors as a Gaussian: their number, mean and covariance, in float64.
 *
 * <p>{@link #frechetDistance} is what "FID" computes of Inception's features. Here it is computed
 * of the features of a small classifier of our own, so its values compare with each other and with
 * no published FID.
 */
public final class FeatureGaussian {
  private final int count;
  private final double[] mean;
  private final double[][] covariance;

  private FeatureGaussian(int count, double[] mean, double[][] covariance) {
    this.count = count;
    this.mean = mean;
    this.covariance = covariance;
  }

  /**
   * Of feature vectors; the covariance is divided by their number less one, as in Heusel's code.
   *
   * @param features {@code [N,F]}, N at least 2, all finite
   * @param dimensions F, at least 1
   * @throws IllegalArgumentException if there are fewer than 2 vectors, or one is not finite
   */
  public static FeatureGaussian of(float[] features, int dimensions) {
    if (dimensions < 1 || features.length % dimensions != 0) {
      throw new IllegalArgumentException(
          features.length + " numbers are no vectors of " + dimensions);
    }
    int count = features.length / dimensions;
    if (count < 2) {
      throw new IllegalArgumentException(
          "a covariance needs at least 2 images, and there are " + count);
    }
    double[] mean = new double[dimensions];
    for (int i = 0; i < features.length; i++) {
      if (!Float.isFinite(features[i])) {
        throw new IllegalArgumentException(
            "feature "
                + i % dimensions
                + " of image "
                + i / dimensions
                + " is "
                + features[i]
                + " and should be finite");
      }
      mean[i % dimensions] += features[i] / (double) count;
    }
    double[][] sums = new double[dimensions][dimensions];
    double[] centred = new double[dimensions];
    for (int n = 0; n < count; n++) {
      for (int i = 0; i < dimensions; i++) {
        centred[i] = features[n * dimensions + i] - mean[i];
      }
      for (int i = 0; i < dimensions; i++) {
        for (int j = 0; j <= i; j++) {
          sums[i][j] += centred[i] * centred[j];
        }
      }
    }
    for (int i = 0; i < dimensions; i++) {
      for (int j = 0; j <= i; j++) {
        sums[i][j] /= count - 1.0;
        sums[j][i] = sums[i][j];
      }
    }
    return new FeatureGaussian(count, mean, sums);
  }

  /**
   * Of a mean and a covariance that are known.
   *
   * @param covariance symmetric and positive semidefinite; not copied, as the mean
   */
  static FeatureGaussian of(int count, double[] mean, double[][] covariance) {
    return new FeatureGaussian(count, mean, covariance);
  }

  /** Number of vectors. */
  public int count() {
    return count;
  }

  /** Numbers in a vector. */
  public int dimensions() {
    return mean.length;
  }

  /**
   * The squared Frechet distance (Wasserstein-2) of two Gaussians, Heusel et al. 2017 (arXiv
   * 1706.08500), equation 6:
   *
   * <pre>  d^2 = |m - m'|^2 + Tr(C + C' - 2 (C C')^(1/2))</pre>
   *
   * <p>With {@code C = L L^T} and {@code C' = M M^T} the trace of the root is the sum of the
   * singular values of {@code L^T M}: their squares are the eigenvalues of {@code C C'}. So no root
   * of a matrix is taken, and singular covariances, such as those of fewer images than dimensions,
   * are nothing special. Estimates from few images are too large, by an amount that depends on both
   * numbers: compare figures of sets of the same sizes.
   *
   * @return at least 0
   * @throws IllegalArgumentException if the dimensions differ, or a covariance has a negative
   *     eigenvalue
   */
  public double frechetDistance(FeatureGaussian other) {
    if (other.dimensions() != dimensions()) {
      throw new IllegalArgumentException(
          "features of " + dimensions() + " and of " + other.dimensions() + " dimensions");
    }
    double distance = 0;
    for (int i = 0; i < mean.length; i++) {
      double d = mean[i] - other.mean[i];
      distance += d * d + covariance[i][i] + other.covariance[i][i];
    }
    double[][] l = factor();
    double[][] m = other.factor();
    double[][] product = new double[mean.length][mean.length];
    for (int j = 0; j < mean.length; j++) {
      for (int i = 0; i < mean.length; i++) {
        product[j][i] = ColumnRotations.dot(l[i], m[j]);
      }
    }
    for (double singular : ColumnRotations.orthogonalize(product)) {
      distance -= 2 * singular;
    }
    return Math.max(0, distance); // rounding may take equal sets below
  }

  /** Columns of an L with {@code C = L L^T}: eigenvectors times the roots of their eigenvalues. */
  private double[][] factor() {
    double[][] columns = new double[mean.length][];
    double trace = 0;
    for (int i = 0; i < columns.length; i++) {
      columns[i] = covariance[i].clone();
      trace += covariance[i][i];
    }
    // C V = V diag(lambda), so these are the eigenvectors times the eigenvalues.
    double[] eigenvalues = ColumnRotations.orthogonalize(columns);
    double sum = 0;
    for (int i = 0; i < columns.length; i++) {
      sum += eigenvalues[i];
      double scale = eigenvalues[i] > 0 ? 1 / Math.sqrt(eigenvalues[i]) : 0;
      for (int j = 0; j < columns.length; j++) {
        columns[i][j] *= scale;
      }
    }
    if (!(sum <= trace * (1 + 1e-9))) { // a negative one counts with its amount
      throw new IllegalArgumentException(
          "a covariance has a negative eigenvalue: its trace is "
              + trace
              + ", and its eigenvalues' amounts add up to "
              + sum);
    }
    return columns;
  }
}
