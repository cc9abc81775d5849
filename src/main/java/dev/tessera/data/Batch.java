package dev.tessera.data;

import java.lang.foreign.MemorySegment;
import java.util.Objects;

/**
 * A batch as {@link BatchLoader#next} lends it: valid until the next call of that method, and
 * reused after.
 */
public final class Batch {
  private final MemorySegment buffer;
  private final int imageSize;
  private final int[] indices;
  private MemorySegment pixels;
  private int size;
  private long step;
  private long epoch;

  Batch(MemorySegment buffer, int batchSize, int imageSize) {
    this.buffer = buffer;
    this.imageSize = imageSize;
    this.indices = new int[batchSize];
    this.pixels = buffer;
  }

  /** The training step that it belongs to, counted from 0. */
  public long step() {
    return step;
  }

  /** The epoch that it belongs to, counted from 0. */
  public long epoch() {
    return epoch;
  }

  /** The number of images: the batch size, or fewer at an epoch's end. */
  public int size() {
    return size;
  }

  /** Scaled pixels, f32 [size, height, width, channels]. */
  public MemorySegment pixels() {
    return pixels;
  }

  /** Which image of the data set is image {@code i} of the batch, {@code i} in [0, size). */
  public int index(int i) {
    return indices[Objects.checkIndex(i, size)];
  }

  /** Fills this with the images of {@code newStep}. */
  void prepare(ImageDataset data, EpochOrder order, PixelScaler scaler, long newStep) {
    step = newStep;
    epoch = order.epochOf(newStep);
    int newSize = order.sizeOf(newStep);
    if (newSize != size) {
      size = newSize;
      pixels = buffer.asSlice(0, (long) size * imageSize * Float.BYTES);
    }
    order.indicesOf(newStep, indices);
    for (int i = 0; i < size; i++) {
      scaler.write(data, indices[i], buffer, (long) i * imageSize);
    }
  }
}
