package dev.tessera.device;

import dev.tessera.bindings.ts_tensor;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicLong;

/**
 * An arena on a device for what one step needs: activations and their gradients. Tensors are taken
 * one after the other and given back all at once by {@link #reset}; using one afterwards throws.
 * The arena grows in the first steps and then stays, so a steady step allocates nothing native.
 *
 * <p>For one thread, and one stream, at a time: who goes on with another stream lets it wait for
 * the one before ({@link Stream#waitFor}).
 */
public final class Workspace implements AutoCloseable {
  private static final long ALIGNMENT = 64;

  private final Device device;
  private final List<Memory> blocks = new ArrayList<>(); // the last one is taken from
  private long used; // of the last block
  private long total; // taken since the last reset, in bytes
  private long peak; // the most that was taken between two resets
  private final AtomicLong generation = new AtomicLong();
  private boolean closed;

  // Descriptors are host memory, reused like the arena: the i-th tensor of each step gets the i-th.
  private final List<MemorySegment> descriptors = new ArrayList<>();
  private int descriptorsUsed;

  /**
   * An empty workspace that begins with {@code bytes} of memory.
   *
   * @param bytes a guess of what a step needs; 0 is fine
   */
  public Workspace(Device device, long bytes) {
    this.device = device;
    blocks.add(new Memory(device, Math.max(bytes, 1 << 16)));
  }

  /** The device that it is on. */
  public Device device() {
    return device;
  }

  /** A tensor that lives until the next {@link #reset}, not cleared. */
  public Tensor allocate(Shape shape, DataType type) {
    requireOpen();
    long bytes = roundUp(shape.elements() * type.bytes());
    Memory block = blocks.getLast();
    if (bytes > block.bytes() - used) {
      block = new Memory(device, Math.max(bytes, 2 * block.bytes()));
      blocks.add(block);
      used = 0;
    }
    long address = block.address() + used;
    used += bytes;
    total += bytes;
    peak = Math.max(peak, total);
    return Tensor.of(this, block, address, shape, type, nextDescriptor());
  }

  /** An f32 tensor that lives until the next {@link #reset}, not cleared. */
  public Tensor allocate(Shape shape) {
    return allocate(shape, DataType.F32);
  }

  /**
   * Takes all tensors back. If the arena had to grow since the last reset, its blocks are replaced
   * by one that is large enough for all.
   *
   * @throws IllegalStateException if a call uses a tensor of it now
   */
  public void reset() {
    requireOpen();
    for (Memory block : blocks) {
      block.lifetime().requireIdle("reset");
    }
    generation.incrementAndGet();
    if (blocks.size() > 1) {
      closeBlocks();
      blocks.add(new Memory(device, peak));
    }
    used = 0;
    total = 0;
    descriptorsUsed = 0;
  }

  /** The most memory that was taken between two resets, in bytes. */
  public long peakBytes() {
    return peak;
  }

  /** Frees the arena; its tensors can no longer be used. */
  @Override
  public void close() {
    if (closed) {
      return;
    }
    for (Memory block : blocks) {
      block.lifetime().requireIdle("closed");
    }
    closed = true;
    generation.incrementAndGet();
    closeBlocks();
  }

  long generation() {
    return generation.get();
  }

  private void closeBlocks() {
    blocks.forEach(Memory::close);
    blocks.clear();
  }

  MemorySegment nextDescriptor() {
    if (descriptorsUsed == descriptors.size()) {
      descriptors.add(ts_tensor.allocate(Arena.ofAuto()));
    }
    return descriptors.get(descriptorsUsed++);
  }

  private void requireOpen() {
    if (closed) {
      throw new IllegalStateException("the workspace is closed");
    }
  }

  private static long roundUp(long bytes) {
    return Math.addExact(bytes, ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
  }
}
