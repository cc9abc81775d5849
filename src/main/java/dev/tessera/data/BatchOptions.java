package dev.tessera.data;

/**
 * How a {@link BatchLoader} goes through a data set.
 *
 * @param batchSize images a batch, at least 1
 * @param seed of the shuffles
 * @param shuffle whether each epoch has an order of its own; else all go from first to last
 * @param dropRemainder whether images beyond the last whole batch of an epoch are left out, as in
 *     Sonnet's example; Keras' {@code fit} makes a smaller batch of them
 * @param offset added to x / 255; see {@link PixelScaler}
 * @param slots batches that are prepared ahead, one of them in use: 2 to 16
 */
public record BatchOptions(
    int batchSize, long seed, boolean shuffle, boolean dropRemainder, float offset, int slots) {
  private static final int DEFAULT_SLOTS = 3;

  /**
   * Checks the ranges.
   *
   * @throws IllegalArgumentException if one is left
   */
  public BatchOptions {
    if (batchSize < 1 || slots < 2 || slots > 16 || !Float.isFinite(offset)) {
      throw new IllegalArgumentException(
          "batchSize "
              + batchSize
              + " must be at least 1, slots "
              + slots
              + " from 2 to 16, offset "
              + offset
              + " finite");
    }
  }

  /** Shuffled whole batches in [-0.5, 0.5]. */
  public static BatchOptions training(int batchSize, long seed) {
    return new BatchOptions(batchSize, seed, true, true, PixelScaler.CENTRED, DEFAULT_SLOTS);
  }

  /** Every image once an epoch, from first to last, in [-0.5, 0.5]. */
  public static BatchOptions evaluation(int batchSize) {
    return new BatchOptions(batchSize, 0, false, false, PixelScaler.CENTRED, DEFAULT_SLOTS);
  }

  /** The same with another {@link #dropRemainder}. */
  public BatchOptions withDropRemainder(boolean drop) {
    return new BatchOptions(batchSize, seed, shuffle, drop, offset, slots);
  }

  /** The same with another {@link #offset}. */
  public BatchOptions withOffset(float newOffset) {
    return new BatchOptions(batchSize, seed, shuffle, dropRemainder, newOffset, slots);
  }

  /** The batches that {@code count} images give an epoch; 0 if they do not fill one. */
  public long stepsPerEpoch(int count) {
    return dropRemainder ? count / batchSize : ((long) count + batchSize - 1) / batchSize;
  }
}
