package dev.tessera.prior;

import dev.tessera.bindings.ts_sample_params;
import dev.tessera.device.DataType;
import dev.tessera.device.Shape;
import dev.tessera.device.Stream;
import dev.tessera.device.Tensor;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import org.jspecify.annotations.Nullable;

/**
 * Draws grids of codes from a prior, position by position. Image i of a seed is the same whatever
 * the batch size, the number of images and threads: its draws are keyed by (seed, i, position), and
 * sessions compute an image's logits from that image alone.
 */
public final class CodeSampler {
  private final Prior prior;
  private final Stream stream;
  private final int batch;

  /** A sampler that draws {@code batch} images side by side. */
  public CodeSampler(Prior prior, Stream stream, int batch) {
    if (batch < 1) {
      throw new IllegalArgumentException("at least 1 image is drawn at a time, not " + batch);
    }
    this.prior = prior;
    this.stream = stream;
    this.batch = batch;
  }

  /** The codes {@code [count,H,W]} of new images. */
  public int[] sample(int count, SampleOptions options, int @Nullable [] classes) {
    return complete(count, options, classes, new int[0]);
  }

  /**
   * The codes {@code [count,H,W]} of images that all begin with {@code given}, codes in raster
   * order.
   *
   * @param classes of each image, or null for a prior without classes
   * @throws IllegalArgumentException if classes or given codes are too many, too few or out of
   *     range
   */
  public int[] complete(int count, SampleOptions options, int @Nullable [] classes, int[] given) {
    PriorConfig.Grid grid = prior.config().grid();
    check(count, grid, classes, given);
    int[] codes = new int[Math.multiplyExact(count, grid.positions())];
    for (int first = 0; first < count; first += batch) {
      draw(first, Math.min(batch, count - first), options, classes, given, codes);
    }
    return codes;
  }

  private void draw(
      int first,
      int size,
      SampleOptions options,
      int @Nullable [] classes,
      int[] given,
      int[] codes) {
    int positions = prior.config().grid().positions();
    MemorySegment params = ts_sample_params.allocate(Arena.ofAuto());
    try (Tensor chosen = stream.device().allocate(Shape.of(size), DataType.I32);
        Tensor classOf = stream.device().allocate(Shape.of(size), DataType.I32)) {
      if (classes != null) {
        int[] mine = java.util.Arrays.copyOfRange(classes, first, first + size);
        classOf.copyFrom(stream, MemorySegment.ofArray(mine));
      }
      try (CodeSession session = prior.session(stream, size, classes == null ? null : classOf)) {
        for (int t = 0; t < positions; t++) {
          if (t < given.length) {
            stream.fill(chosen, given[t]);
          } else {
            PriorOps.sample(stream, options, first, t, params, session.logits(), chosen);
          }
          session.accept(chosen);
          int[] drawn = chosen.toInts(stream);
          for (int i = 0; i < size; i++) {
            codes[(first + i) * positions + t] = drawn[i];
          }
        }
      }
    }
  }

  private static void check(
      int count, PriorConfig.Grid grid, int @Nullable [] classes, int[] given) {
    if (count < 1) {
      throw new IllegalArgumentException("at least 1 image must be asked for, not " + count);
    }
    if ((classes != null) != (grid.classes() > 0)) {
      throw new IllegalArgumentException(
          grid.classes() > 0
              ? "the prior has classes 0 to " + (grid.classes() - 1) + ": say which"
              : "the prior was trained without classes");
    }
    if (classes != null) {
      if (classes.length != count) {
        throw new IllegalArgumentException(classes.length + " classes for " + count + " images");
      }
      requireRange("class", classes, grid.classes());
    }
    if (given.length > grid.positions()) {
      throw new IllegalArgumentException(
          given.length + " codes are given for a grid of " + grid.positions());
    }
    requireRange("code", given, grid.codes());
  }

  private static void requireRange(String what, int[] values, int bound) {
    for (int value : values) {
      if (value < 0 || value >= bound) {
        throw new IllegalArgumentException(
            what + " " + value + " must be from 0 to " + (bound - 1));
      }
    }
  }
}
