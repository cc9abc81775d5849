package dev.tessera.prior;

/**
 * How codes are drawn.
 *
 * @param seed of the draws
 * @param temperature at least 0: 1 samples the model, 0 takes the most likely code each time
 * @param topK draws among that many of the most likely codes, at least 1; {@link Long#MAX_VALUE}
 *     for no limit
 * @param topP draws among the fewest most likely codes whose share reaches it, in (0, 1]; 1 for no
 *     limit (Holtzman et al. 2020, nucleus sampling)
 */
public record SampleOptions(long seed, double temperature, long topK, double topP) {
  /** Checks the ranges. */
  public SampleOptions {
    if (!(temperature >= 0) || Double.isInfinite(temperature)) {
      throw new IllegalArgumentException(
          "the temperature must be finite and at least 0, not " + temperature);
    }
    if (topK < 1) {
      throw new IllegalArgumentException("top-k must be at least 1, not " + topK);
    }
    if (!(topP > 0 && topP <= 1)) {
      throw new IllegalArgumentException("top-p must be above 0 and at most 1, not " + topP);
    }
  }

  /** What the model says, without limits. */
  public static SampleOptions of(long seed) {
    return new SampleOptions(seed, 1, Long.MAX_VALUE, 1);
  }
}
