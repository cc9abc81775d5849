package dev.tessera.device;

import dev.tessera.bindings.tessera_h;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * A block of device memory, of which tensors are parts. Blocks are few and large: one for a model's
 * parameters, one for a workspace.
 */
public final class Memory implements AutoCloseable {
  private static final Thread ANOTHER_THREAD = Thread.ofVirtual().unstarted(() -> {});

  private final Device device;
  private final long address;
  private final long bytes;
  private final Lifetime lifetime;
  private @Nullable Arena views; // scope of the segments handed out; made when first asked for
  private final @Nullable MemorySegment borrowed; // host memory of the caller's
  private final boolean owned; // freed here

  /**
   * Allocates a block, not cleared.
   *
   * @throws TesseraException if the device has not so much memory
   */
  public Memory(Device device, long bytes) {
    this.device = device;
    this.bytes = bytes;
    this.lifetime = new Lifetime("memory of " + bytes + " bytes on " + device);
    long[] result = new long[1];
    device.call(
        (arena, error) -> {
          MemorySegment out = arena.allocate(ValueLayout.JAVA_LONG);
          int status = tessera_h.ts_alloc(device.handle(), bytes, out, error);
          result[0] = out.get(ValueLayout.JAVA_LONG, 0);
          return status;
        });
    this.address = result[0];
    this.borrowed = null;
    this.owned = true;
  }

  private Memory(Device device, MemorySegment segment) {
    this.device = device;
    this.bytes = segment.byteSize();
    this.lifetime = new Lifetime("borrowed memory of " + bytes + " bytes");
    this.address = segment.address();
    this.borrowed = segment;
    this.owned = false;
  }

  private Memory(Device device, long address, long bytes) {
    this.device = device;
    this.address = address;
    this.bytes = bytes;
    this.lifetime = new Lifetime("foreign memory of " + bytes + " bytes on " + device);
    this.borrowed = null;
    this.owned = false;
  }

  /**
   * A block over native memory of the caller's, for tensors that are read and written without a
   * copy. Only memory that no other thread can free while a call runs will do: that of a confined
   * arena of the calling thread, or of the global arena. Otherwise, or on a device with memory of
   * its own, there is none, and the data has to be copied.
   */
  public static Optional<Memory> over(Device device, MemorySegment segment) {
    boolean usable =
        device.isHost()
            && segment.isNative()
            && !segment.isReadOnly()
            && (segment.scope().equals(Arena.global().scope())
                || (segment.isAccessibleBy(Thread.currentThread())
                    && !segment.isAccessibleBy(ANOTHER_THREAD)));
    return usable ? Optional.of(new Memory(device, segment)) : Optional.empty();
  }

  /**
   * A block over device memory that another library allocated on the same GPU, for tensors that
   * share it without a copy. Closing the block ends its tensors and frees nothing. The memory must
   * stay allocated until then, and until the streams that used its tensors have done their work;
   * who writes to it in another queue orders that queue and the streams.
   *
   * @param address device address
   * @param bytes size, at least 1
   * @throws IllegalArgumentException if that is no memory of the device
   * @throws DeviceUnavailableException on the CPU, which has {@link #over} instead
   */
  public static Memory foreign(Device device, long address, long bytes) {
    device.call(
        (arena, error) -> tessera_h.ts_memory_check(device.handle(), address, bytes, error));
    return new Memory(device, address, bytes);
  }

  /** The device that it is on. */
  public Device device() {
    return device;
  }

  /** Size in bytes. */
  public long bytes() {
    return bytes;
  }

  /**
   * A tensor in this block.
   *
   * @param offset bytes from the block's start, a multiple of the element size
   * @throws IndexOutOfBoundsException if it does not lie in the block
   */
  public Tensor tensor(long offset, Shape shape, DataType type) {
    long size = shape.elements() * type.bytes();
    if (offset < 0 || offset % type.bytes() != 0 || offset > bytes - size) {
      throw new IndexOutOfBoundsException(
          "a tensor of "
              + size
              + " bytes at offset "
              + offset
              + " does not lie in a block of "
              + bytes);
    }
    return Tensor.within(this, address + offset, shape, type);
  }

  /** Whole block as bytes of this process's memory, with this block's lifetime. */
  // The block's address and size, in a scope that ends with it: close() closes the arena.
  @SuppressWarnings({"restricted", "MustBeClosedChecker"})
  synchronized MemorySegment view() {
    if (!device.isHost()) {
      throw new UnsupportedOperationException(
          device + " has memory of its own: copy the tensor to the host instead");
    }
    acquire(); // a view of closed memory must not be made
    try {
      if (borrowed != null) {
        return borrowed;
      }
      if (views == null) {
        views = Arena.ofShared();
      }
      return MemorySegment.ofAddress(address).reinterpret(bytes, views, null);
    } finally {
      release();
    }
  }

  /** Keeps the block from being freed until {@link #release}. */
  void acquire() {
    lifetime.acquire();
    if (borrowed != null
        && !(borrowed.scope().isAlive() && borrowed.isAccessibleBy(Thread.currentThread()))) {
      lifetime.release();
      throw new IllegalStateException(
          "the arena of borrowed memory is closed, or another thread's");
    }
  }

  void release() {
    lifetime.release();
  }

  long address() {
    return address;
  }

  Lifetime lifetime() {
    return lifetime;
  }

  /**
   * Frees the block; closing it again does nothing.
   *
   * @throws IllegalStateException if a call uses a tensor in it
   */
  @Override
  public synchronized void close() {
    if (!lifetime.close() || !owned) {
      return;
    }
    if (views != null) {
      try {
        views.close();
      } catch (IllegalStateException e) { // a view is in use: stay open
        lifetime.reopen();
        throw e;
      }
    }
    device.call((arena, error) -> tessera_h.ts_free(device.handle(), address, error));
  }
}
