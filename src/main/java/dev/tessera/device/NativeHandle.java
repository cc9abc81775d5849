package dev.tessera.device;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;

/** A native object behind an opaque pointer, other than devices and streams: a codebook. */
public final class NativeHandle implements AutoCloseable {
  private final Device device;
  private final MemorySegment address;
  private final Lifetime lifetime;
  private final Closer closer;

  /** The native function that ends the object. */
  @FunctionalInterface
  public interface Closer {
    /** Closes the object; returns a {@code ts_status}, with the message in {@code error}. */
    int close(MemorySegment address, MemorySegment error);
  }

  /** A native call without a stream, which reports into {@code error}. */
  @FunctionalInterface
  public interface Call {
    /** Runs the call on the object and returns its {@code ts_status}. */
    int run(MemorySegment address, Arena arena, MemorySegment error);
  }

  /** Takes over a native object; messages call it {@code what}. */
  public NativeHandle(Device device, MemorySegment address, String what, Closer closer) {
    this.device = device;
    this.address = address;
    this.lifetime = new Lifetime(what);
    this.closer = closer;
  }

  /** The device that it is on. */
  public Device device() {
    return device;
  }

  /** Runs a native call without a stream; the object stays open meanwhile. */
  public void call(Call call) {
    lifetime.acquire();
    try {
      Native.check((arena, error) -> call.run(address, arena, error));
    } finally {
      lifetime.release();
    }
  }

  void acquire() {
    lifetime.acquire();
  }

  void release() {
    lifetime.release();
  }

  MemorySegment address() {
    return address;
  }

  /**
   * Ends the object; closing it again does nothing.
   *
   * @throws IllegalStateException if a call is using it
   */
  @Override
  public void close() {
    if (lifetime.close()) {
      Native.check((arena, error) -> closer.close(address, error));
    }
  }
}
