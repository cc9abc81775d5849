package dev.tessera.bench;

import dev.tessera.data.Philox;
import dev.tessera.nn.RandomStreams;

/**
 * Rows from N(0, 1) and codes from N(0, 1/4), independent: the hard case, since a row's distances
 * to all codes are nearly the same in many dimensions.
 *
 * @param seed of both
 */
public record GaussianVectors(long seed) implements VectorSource {
  private static final float CODE_SCALE = 0.5f;

  @Override
  public String description() {
    return "rows N(0,1), codes N(0,1)/2, seed " + seed;
  }

  @Override
  public VectorData draw(int n, int k, int d) {
    return new VectorData(normal(0, n * d, 1), normal(1, k * d, CODE_SCALE), d, description());
  }

  private float[] normal(int step, int count, float scale) {
    Philox random = new Philox(seed, RandomStreams.BENCHMARK, step);
    float[] values = new float[count];
    for (int i = 0; i < count; i++) {
      values[i] = scale * (float) random.nextNormal();
    }
    return values;
  }
}
