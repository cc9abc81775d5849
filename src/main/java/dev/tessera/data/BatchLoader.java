package dev.tessera.data;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.BlockingQueue;
import org.jspecify.annotations.Nullable;

/**
 * Prepares batches ahead of training on a thread of its own. The batch of a step is a function of
 * data, options and step alone: a loader opened at step s gives what another gives from its step s
 * on, so resuming needs no more than the step's number. Epochs follow each other without end.
 *
 * <p>Batches are written into a ring of buffers; after the first round nothing is allocated but a
 * few objects of the queues. One thread at a time may call {@link #next}; any may {@link #close}.
 */
public final class BatchLoader implements AutoCloseable {
  private final ImageDataset data;
  private final BatchOptions options;
  private final @Nullable Arena ownArena;
  private final BlockingQueue<Batch> free;
  private final BlockingQueue<Batch> ready;
  private final Batch end = new Batch(MemorySegment.NULL, 0, 0);
  private final Thread worker;
  private volatile boolean closed;
  private volatile @Nullable Throwable failure;
  private @Nullable Batch lent;

  /**
   * Starts preparing batches from {@code startStep} on, in memory of its own.
   *
   * @throws IllegalArgumentException if {@code startStep} is negative, or the data do not fill one
   *     batch and the remainder is dropped
   */
  @SuppressWarnings("MustBeClosedChecker") // close() closes it
  public BatchLoader(ImageDataset data, BatchOptions options, long startStep) {
    this(data, options, startStep, Arena.ofShared());
  }

  /**
   * The same in the caller's memory, for example a tensor's: one segment a slot, each of at least
   * {@code batchSize * imageSize} floats, which the worker's thread may write. They must stay alive
   * until this is closed.
   */
  public BatchLoader(
      ImageDataset data, BatchOptions options, long startStep, List<MemorySegment> buffers) {
    this(data, options, startStep, buffers, null);
  }

  private BatchLoader(ImageDataset data, BatchOptions options, long startStep, Arena arena) {
    this(data, options, startStep, allocate(data, options, arena), arena);
  }

  private BatchLoader(
      ImageDataset data,
      BatchOptions options,
      long startStep,
      List<MemorySegment> buffers,
      @Nullable Arena ownArena) {
    this.data = data;
    this.options = options;
    this.ownArena = ownArena;
    this.free = new ArrayBlockingQueue<>(options.slots());
    this.ready = new ArrayBlockingQueue<>(options.slots() + 1);
    try {
      check(startStep, buffers);
    } catch (IllegalArgumentException e) {
      if (ownArena != null) {
        ownArena.close();
      }
      throw e;
    }
    long bytes = batchBytes(data, options);
    for (MemorySegment buffer : buffers) {
      free.add(new Batch(buffer.asSlice(0, bytes), options.batchSize(), data.imageSize()));
    }
    worker = Thread.ofPlatform().name("tessera-batches").daemon().unstarted(() -> work(startStep));
    worker.start();
  }

  /** The batches of an epoch. */
  public long stepsPerEpoch() {
    return options.stepsPerEpoch(data.count());
  }

  /**
   * The next batch; waits until it is prepared. The batch that the call before returned goes back
   * to the loader.
   *
   * @throws InterruptedException if the thread is interrupted while it waits
   * @throws IllegalStateException if the loader is closed, or the worker failed: then its exception
   *     is the cause
   */
  public Batch next() throws InterruptedException {
    if (lent != null) {
      free.add(lent);
      lent = null;
    }
    Batch batch = closed ? end : ready.take();
    if (batch == end || closed) {
      ready.offer(end);
      Throwable cause = failure;
      throw cause == null
          ? new IllegalStateException("the loader of " + data.name() + " is closed")
          : new IllegalStateException("preparing a batch of " + data.name() + " failed", cause);
    }
    lent = batch;
    return batch;
  }

  /** Stops the worker, waits for it, and frees the loader's own memory. May be called twice. */
  @Override
  public void close() {
    closed = true;
    worker.interrupt();
    joinWorker();
    ready.offer(end);
    if (ownArena != null && ownArena.scope().isAlive()) {
      ownArena.close();
    }
  }

  private void work(long startStep) {
    try {
      EpochOrder order = new EpochOrder(data.count(), options);
      PixelScaler scaler = new PixelScaler(options.offset());
      for (long step = startStep; !closed; step++) {
        Batch batch = free.take();
        batch.prepare(data, order, scaler, step);
        ready.add(batch);
      }
    } catch (InterruptedException e) {
      if (!closed) {
        failure = e;
      }
    } catch (Throwable e) {
      failure = e;
    } finally {
      ready.offer(end);
    }
  }

  private void joinWorker() {
    boolean interrupted = false;
    while (worker.isAlive()) {
      try {
        worker.join();
      } catch (InterruptedException e) {
        interrupted = true;
      }
    }
    if (interrupted) {
      Thread.currentThread().interrupt();
    }
  }

  private void check(long startStep, List<MemorySegment> buffers) {
    if (startStep < 0) {
      throw new IllegalArgumentException("startStep is " + startStep + " and must not be negative");
    }
    if (stepsPerEpoch() == 0) {
      throw new IllegalArgumentException(
          data + " does not fill a batch of " + options.batchSize() + "; take a smaller batch");
    }
    if (buffers.size() != options.slots()) {
      throw new IllegalArgumentException(
          buffers.size() + " buffers for " + options.slots() + " slots");
    }
    long bytes = batchBytes(data, options);
    for (MemorySegment buffer : buffers) {
      if (buffer.byteSize() < bytes) {
        throw new IllegalArgumentException(
            "a buffer has " + buffer.byteSize() + " bytes; a batch takes " + bytes);
      }
    }
  }

  private static List<MemorySegment> allocate(
      ImageDataset data, BatchOptions options, Arena arena) {
    List<MemorySegment> buffers = new ArrayList<>();
    for (int i = 0; i < options.slots(); i++) {
      buffers.add(arena.allocate(batchBytes(data, options), 64));
    }
    return buffers;
  }

  private static long batchBytes(ImageDataset data, BatchOptions options) {
    return Math.multiplyExact((long) options.batchSize() * Float.BYTES, (long) data.imageSize());
  }
}
