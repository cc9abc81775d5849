package dev.tessera.data;

/**
 * Which images a step takes: the order of epoch e is a shuffle drawn from (seed, e) alone, so that
 * any step can be asked for first.
 */
public final class EpochOrder {
  private final int count;
  private final BatchOptions options;
  private final int[] order;
  private long orderedEpoch = -1;

  /** The order of {@code count} images. For one thread. */
  public EpochOrder(int count, BatchOptions options) {
    this.count = count;
    this.options = options;
    this.order = new int[count];
  }

  long epochOf(long step) {
    return step / options.stepsPerEpoch(count);
  }

  /** The number of images of {@code step}: the batch size, or fewer at an epoch's end. */
  public int sizeOf(long step) {
    return Math.min(options.batchSize(), count - first(step));
  }

  /** Writes the indices of the images of {@code step} to {@code indices}. */
  public void indicesOf(long step, int[] indices) {
    long epoch = epochOf(step);
    if (epoch != orderedEpoch) {
      for (int i = 0; i < count; i++) {
        order[i] = i;
      }
      if (options.shuffle()) {
        new Philox(options.seed(), Philox.SHUFFLE, epoch).shuffle(order);
      }
      orderedEpoch = epoch;
    }
    System.arraycopy(order, first(step), indices, 0, sizeOf(step));
  }

  private int first(long step) {
    return (int) (step % options.stepsPerEpoch(count)) * options.batchSize();
  }
}
