package dev.tessera.device;

import dev.tessera.bindings.tessera_h;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import org.jspecify.annotations.Nullable;

/**
 * A block of device memory, of which tensors are parts. Blocks are few and large: one for a model's
 * parameters, one for a workspace.
 */
public final class Memory implements AutoCloseable {
  private final Device device;
  private final long address;
  private final long bytes;
  private final Lifetime lifetime;
  private @Nullable Arena views; // scope of the segments handed out; made when first asked for

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
  synchronized MemorySegment view() {
    if (!device.isHost()) {
      throw new UnsupportedOperationException(
          device + " has memory of its own: copy the tensor to the host instead");
    }
    lifetime.acquire(); // a view of closed memory must not be made
    try {
      if (views == null) {
        views = Arena.ofShared();
      }
      return MemorySegment.ofAddress(address).reinterpret(bytes, views, null);
    } finally {
      lifetime.release();
    }
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
    if (!lifetime.close()) {
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
