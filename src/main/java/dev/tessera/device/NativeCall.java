package dev.tessera.device;

import dev.tessera.bindings.tessera_h;
import dev.tessera.bindings.ts_tensor;
import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * One native call of a stream, for the packages that wrap functions of {@code tessera.h}:
 *
 * {@snippet :
 * try (NativeCall call = stream.call()) {
 *   call.check(tessera_h.ts_unary(call.stream(), tessera_h.TS_RELU(), call.arg(x), call.arg(y)));
 * }
 * }
 *
 * What is passed through {@link #arg} stays open until the call is closed. The stream has one
 * object of this class and hands it out under its lock, so a call allocates nothing.
 */
public final class NativeCall implements AutoCloseable {
  private final Stream stream;
  private @Nullable Tensor[] tensors = new @Nullable Tensor[16];
  private int tensorCount;
  private @Nullable NativeHandle[] handles = new @Nullable NativeHandle[4];
  private int handleCount;

  NativeCall(Stream stream) {
    this.stream = stream;
  }

  /** The {@code ts_stream}. */
  public MemorySegment stream() {
    return stream.handle();
  }

  /** The {@code ts_tensor} of a tensor, which stays open until the end of the call. */
  public MemorySegment arg(Tensor tensor) {
    if (tensorCount == tensors.length) {
      tensors = Arrays.copyOf(tensors, 2 * tensorCount);
    }
    tensor.acquire();
    tensors[tensorCount++] = tensor;
    return tensor.descriptor();
  }

  /**
   * Writes the {@code ts_tensor}s of tensors one after the other to {@code array}, for functions
   * that take an array; they stay open until the end of the call.
   */
  public MemorySegment args(List<Tensor> all, MemorySegment array) {
    for (int i = 0; i < all.size(); i++) {
      MemorySegment.copy(arg(all.get(i)), 0, array, i * ts_tensor.sizeof(), ts_tensor.sizeof());
    }
    return array;
  }

  /** Like {@link #arg}, with NULL for an argument that is left out. */
  public MemorySegment optional(@Nullable Tensor tensor) {
    return tensor == null ? MemorySegment.NULL : arg(tensor);
  }

  /** The pointer of a handle, which stays open until the end of the call. */
  public MemorySegment arg(NativeHandle handle) {
    if (handleCount == handles.length) {
      handles = Arrays.copyOf(handles, 2 * handleCount);
    }
    handle.acquire();
    handles[handleCount++] = handle;
    return handle.address();
  }

  /**
   * Throws what a failed call reported.
   *
   * @throws IllegalArgumentException for a wrong argument
   * @throws DataFaultException for values at fault
   * @throws TesseraException for anything else
   */
  public void check(int status) {
    if (status != tessera_h.TS_OK()) {
      throw Native.streamException(stream.handle(), status);
    }
  }

  /** Releases what the call used, and the stream. */
  @Override
  public void close() {
    for (int i = 0; i < tensorCount; i++) {
      Tensor tensor = tensors[i];
      tensors[i] = null;
      if (tensor != null) {
        tensor.release();
      }
    }
    tensorCount = 0;
    for (int i = 0; i < handleCount; i++) {
      NativeHandle handle = handles[i];
      handles[i] = null;
      if (handle != null) {
        handle.release();
      }
    }
    handleCount = 0;
    stream.unlock();
  }
}
