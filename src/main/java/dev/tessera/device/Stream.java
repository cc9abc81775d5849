package dev.tessera.device;

import dev.tessera.bindings.tessera_h;
import dev.tessera.bindings.ts_stream_options;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;

/**
 * An ordered queue of calls on a device, with scratch memory and (on the CPU) threads of its own.
 * Calls from several threads take turns; to run calls at the same time, open several streams.
 *
 * <p>On a GPU a call returns when its work is in the queue. Two streams are two queues: what one
 * writes and the other reads has to be ordered, by {@link #waitFor} or {@link #synchronize}. So it
 * is with tensors ({@link Tensor#copyFrom} writes in a stream, too), and with workspaces. A
 * codebook orders its readers and its updates by itself. What {@link Tensor#copyTo} gives is there
 * when it returns.
 */
public final class Stream implements AutoCloseable {
  private final Device device;
  private final int threads;
  private final MemorySegment handle;
  private final ReentrantLock lock = new ReentrantLock();
  private final NativeCall call;
  private boolean closed; // guarded by lock
  // Native memory for copies from and to the heap, and what frees it; both guarded by lock.
  private @Nullable Arena stagingArena; // null before the first
  private MemorySegment staging = MemorySegment.NULL;

  /** A stream of its own, of {@code threads} threads. */
  Stream(Device device, int threads) {
    if (threads < 1) {
      throw new IllegalArgumentException("a stream needs at least 1 thread, not " + threads);
    }
    this.device = device;
    this.threads = threads;
    this.handle =
        open(
            device,
            (arena, out, error) -> {
              MemorySegment options = ts_stream_options.allocate(arena);
              ts_stream_options.struct_size(options, (int) ts_stream_options.sizeof());
              ts_stream_options.threads(options, threads);
              return tessera_h.ts_stream_open(device.handle(), options, out, error);
            });
    this.call = new NativeCall(this);
  }

  private Stream(Device device, MemorySegment handle) {
    this.device = device;
    this.threads = 1;
    this.handle = handle;
    this.call = new NativeCall(this);
  }

  /**
   * A stream over a queue of the device that another library opened: calls of both run in the order
   * in which they are made. Closing the stream waits for the queue and leaves it open; the queue
   * must stay open until then.
   *
   * @param queue a {@code cudaStream_t}; 1 is CUDA's default stream
   * @throws IllegalArgumentException for 0, for 2 (a queue for each thread, which has no order),
   *     and for a queue of another device
   * @throws DeviceUnavailableException on the CPU, which has no such queues
   */
  public static Stream foreign(Device device, long queue) {
    return new Stream(
        device,
        open(
            device,
            (arena, out, error) -> tessera_h.ts_stream_wrap(device.handle(), queue, out, error)));
  }

  private interface Opener {
    int open(Arena arena, MemorySegment out, MemorySegment error);
  }

  private static MemorySegment open(Device device, Opener opener) {
    MemorySegment[] result = new MemorySegment[1];
    device.call(
        (arena, error) -> {
          MemorySegment out = arena.allocate(ValueLayout.ADDRESS);
          int status = opener.open(arena, out, error);
          result[0] = out.get(ValueLayout.ADDRESS, 0);
          return status;
        });
    return result[0];
  }

  /** The device that it is on. */
  public Device device() {
    return device;
  }

  /** CPU threads that its calls use. */
  public int threads() {
    return threads;
  }

  /**
   * Begins a native call: {@code try (NativeCall call = stream.call()) ...}. Waits for the stream's
   * other calls.
   *
   * @throws IllegalStateException if the stream is closed
   */
  public NativeCall call() {
    lock.lock();
    if (closed || lock.getHoldCount() > 1) {
      boolean nested = !closed;
      lock.unlock();
      throw new IllegalStateException(
          nested ? "a call of this stream is still under way" : "the stream is closed");
    }
    return call;
  }

  /** Waits until all work is done. */
  public void synchronize() {
    try (NativeCall c = call()) {
      c.check(tessera_h.ts_stream_synchronize(handle));
    }
  }

  /**
   * Makes later calls of this stream wait for what {@code earlier} has been given so far, without
   * waiting here. Both are on one device.
   *
   * @throws IllegalArgumentException if they are on different devices
   */
  public void waitFor(Stream earlier) {
    MemorySegment opened =
        open(device, (arena, out, error) -> tessera_h.ts_event_open(device.handle(), out, error));
    try (NativeHandle event =
        new NativeHandle(device, opened, "the event", tessera_h::ts_event_close)) {
      try (NativeCall c = earlier.call()) {
        c.check(tessera_h.ts_event_record(c.stream(), c.arg(event)));
      }
      try (NativeCall c = call()) {
        c.check(tessera_h.ts_stream_wait(c.stream(), c.arg(event)));
      }
    }
  }

  /**
   * The device's own queue behind this stream, for other libraries that work on the same GPU: a
   * {@code cudaStream_t}. It is open as long as this stream, and closed by it.
   *
   * @throws DeviceUnavailableException on the CPU, which has no such queues
   */
  public long queue() {
    try (Arena arena = Arena.ofConfined();
        NativeCall c = call()) {
      MemorySegment out = arena.allocate(ValueLayout.JAVA_LONG);
      c.check(tessera_h.ts_stream_queue(c.stream(), out));
      return out.get(ValueLayout.JAVA_LONG, 0);
    }
  }

  /** Sets every element of {@code y} to {@code value}. */
  public void fill(Tensor y, double value) {
    try (NativeCall c = call()) {
      c.check(tessera_h.ts_fill(handle, c.arg(y), value));
    }
  }

  /** Copies {@code source} to {@code destination}, of the same size in bytes. */
  public void copy(Tensor destination, Tensor source) {
    requireSize(destination, source.bytes());
    try (NativeCall c = call()) {
      c.arg(destination);
      c.arg(source);
      c.check(tessera_h.ts_copy(handle, destination.address(), source.address(), source.bytes()));
    }
  }

  void copyToDevice(Tensor destination, MemorySegment source) {
    requireSize(destination, source.byteSize());
    try (NativeCall c = call()) {
      c.arg(destination);
      MemorySegment from = source.isNative() ? source : stage(source.byteSize()).copyFrom(source);
      c.check(tessera_h.ts_copy_to_device(handle, destination.address(), from, source.byteSize()));
    }
  }

  void copyToHost(Tensor source, MemorySegment destination) {
    requireSize(source, destination.byteSize());
    long bytes = source.bytes();
    try (NativeCall c = call()) {
      c.arg(source);
      MemorySegment to = destination.isNative() ? destination : stage(bytes);
      c.check(tessera_h.ts_copy_to_host(handle, to, source.address(), bytes));
      if (!destination.isNative()) {
        destination.copyFrom(to);
      }
    }
  }

  /**
   * Closes the stream, after the call that is under way; closing it again does nothing.
   *
   * @throws IllegalStateException from inside a call of this stream
   */
  @Override
  public void close() {
    lock.lock();
    try {
      if (lock.getHoldCount() > 1) {
        throw new IllegalStateException("a stream cannot be closed inside its own call");
      }
      if (!closed) {
        closed = true;
        if (stagingArena != null) {
          stagingArena.close();
        }
        device.call((arena, error) -> tessera_h.ts_stream_close(handle, error));
      }
    } finally {
      lock.unlock();
    }
  }

  MemorySegment handle() {
    return handle;
  }

  void unlock() {
    lock.unlock();
  }

  /** What copies go through now: for tests. */
  MemorySegment staging() {
    return staging;
  }

  // Copies have read or written it when they return, so that it is free again. It stays as large as
  // the largest of them, until the stream is closed.
  @SuppressWarnings("MustBeClosedChecker") // the next larger one or close() closes it
  private MemorySegment stage(long bytes) {
    if (stagingArena == null || staging.byteSize() < bytes) {
      Arena larger = Arena.ofShared();
      MemorySegment memory;
      try {
        memory = larger.allocate(Math.max(bytes, 256), 64);
      } catch (OutOfMemoryError e) {
        larger.close();
        throw e;
      }
      if (stagingArena != null) {
        stagingArena.close();
      }
      stagingArena = larger;
      staging = memory;
    }
    return staging.asSlice(0, bytes);
  }

  private static void requireSize(Tensor tensor, long bytes) {
    if (tensor.bytes() != bytes) {
      throw new IllegalArgumentException(
          tensor + " has " + tensor.bytes() + " bytes, the other side " + bytes);
    }
  }
}
