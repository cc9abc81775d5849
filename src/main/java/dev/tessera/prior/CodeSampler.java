package dev.tessera.prior;

import dev.tessera.bindings.ts_sample_params;
import dev.tessera.device.DataType;
import dev.tessera.device.Device;
import dev.tessera.device.Shape;
import dev.tessera.device.Stream;
import dev.tessera.device.Tensor;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.jspecify.annotations.Nullable;

/**
 * Draws grids of codes from a prior, position by position. Image i of a seed is the same whatever
 * the batch size, the number of images and threads: its draws are keyed by (seed, i, position), and
 * sessions compute an image's logits from that image alone. So threads share the images out among
 * themselves, each with a stream of one thread, and never wait for each other.
 */
public final class CodeSampler {
  private final Prior prior;
  private final Device device;
  private final int threads;
  private final int batch;

  /**
   * A sampler.
   *
   * @param threads that work at the same time, at least 1
   * @param batch the most images that one of them draws side by side, at least 1
   */
  public CodeSampler(Prior prior, Device device, int threads, int batch) {
    if (batch < 1 || threads < 1) {
      throw new IllegalArgumentException(
          "threads and batch must be at least 1, not " + threads + " and " + batch);
    }
    this.prior = prior;
    this.device = device;
    this.threads = threads;
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
    int size = Math.min(batch, (count + threads - 1) / threads);
    List<Future<?>> parts = new ArrayList<>();
    try (ExecutorService workers = Executors.newFixedThreadPool(threads)) {
      for (int first = 0; first < count; first += size) {
        int from = first;
        int n = Math.min(size, count - first);
        parts.add(workers.submit(() -> draw(from, n, options, classes, given, codes)));
      }
    }
    parts.forEach(CodeSampler::requireDone);
    return codes;
  }

  private static void requireDone(Future<?> part) {
    switch (part.state()) {
      case SUCCESS -> {}
      case FAILED -> {
        Throwable e = part.exceptionNow();
        if (e instanceof RuntimeException failure) {
          throw failure;
        }
        throw new IllegalStateException(e);
      }
      default -> throw new IllegalStateException("drawing was interrupted");
    }
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
    try (Stream stream = device.openStream(1);
        Tensor chosen = device.allocate(Shape.of(size), DataType.I32);
        Tensor classOf = device.allocate(Shape.of(size), DataType.I32)) {
      if (classes != null) {
        int[] mine = Arrays.copyOfRange(classes, first, first + size);
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
