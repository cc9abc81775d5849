package dev.tessera.cuda;

import dev.tessera.device.DataType;
import dev.tessera.device.Device;
import dev.tessera.device.Shape;
import dev.tessera.device.Stream;
import dev.tessera.device.Tensor;
import java.lang.reflect.Constructor;
import java.lang.reflect.InvocationTargetException;
import jcuda.Pointer;
import jcuda.driver.CUdeviceptr;
import jcuda.driver.CUstream;
import jcuda.runtime.cudaStream_t;

/**
 * JCuda's device pointers and streams as Tessera's tensors and streams, and back, on the same
 * memory and the same queue: nothing is copied.
 *
 * {@snippet :
 * Pointer mine = new Pointer();
 * JCuda.cudaMalloc(mine, 4 * 1000 * 64);
 * cudaStream_t queue = new cudaStream_t();
 * JCuda.cudaStreamCreate(queue);
 * try (Device device = Device.open("cuda:0");
 *     Stream stream = CudaInterop.stream(device, queue);
 *     Tensor x = CudaInterop.tensor(device, mine, Shape.of(1000, 64), DataType.F32)) {
 *   codebook.assign(stream, x, codes); // after what was put into `queue` before
 * }
 * JCuda.cudaFree(mine);
 * }
 *
 * <p>Who made something frees it, after the other side is done with it: closing a tensor or stream
 * that came from JCuda ends it here alone, and a pointer or stream that was taken from Tessera ends
 * with its tensor or stream. Closing a stream waits for its queue, so with the order above no
 * memory is freed under work that is still to run.
 *
 * <p>Both sides use the GPU's primary context: CUDA's runtime ({@code JCuda}) does so by itself, a
 * program of the driver API calls {@code cuDevicePrimaryCtxRetain}. JCuda needs {@code
 * JCuda.cudaSetDevice} with the ordinal of the device.
 */
public final class CudaInterop {
  private CudaInterop() {}

  /**
   * A tensor over memory that JCuda allocated. Closing it frees nothing.
   *
   * @param device the GPU that the memory is on
   * @param pointer to the first element, aligned to the element size; the memory stays allocated as
   *     long as the tensor is used
   * @throws IllegalArgumentException if the pointer is null or of the host, or if what it points to
   *     is not memory of the device, from the first byte to the last
   * @throws dev.tessera.device.DeviceUnavailableException if the device is the CPU
   */
  public static Tensor tensor(Device device, Pointer pointer, Shape shape, DataType type) {
    long address = address(pointer);
    if (address % type.bytes() != 0) {
      throw new IllegalArgumentException(
          "the pointer 0x%x is not aligned to the %d bytes of an element"
              .formatted(address, type.bytes()));
    }
    return Tensor.foreign(device, address, shape, type);
  }

  /** A tensor's elements for calls of CUDA's runtime and libraries; valid as long as the tensor. */
  public static Pointer pointer(Tensor tensor) {
    return new DevicePointer(tensor.address());
  }

  /** A tensor's elements for calls of the driver API; valid as long as the tensor. */
  public static CUdeviceptr devicePointer(Tensor tensor) {
    return new CUdeviceptr().withByteOffset(tensor.address());
  }

  /**
   * A stream over one of JCuda's: calls of both sides run in the order in which they are made.
   * Closing it waits for the queue and leaves it open.
   *
   * @param device the GPU that the stream is on
   * @param stream an open stream; one that was never created, which CUDA takes for its default
   *     stream, is that here too
   * @throws IllegalArgumentException if it is the stream of each thread, which has no order, or one
   *     of another GPU
   * @throws dev.tessera.device.DeviceUnavailableException if the device is the CPU
   */
  public static Stream stream(Device device, cudaStream_t stream) {
    long queue = new StreamHandle(stream).value();
    return Stream.foreign(device, queue == 0 ? StreamHandle.LEGACY : queue);
  }

  /**
   * The queue of a stream for calls of CUDA's runtime; open as long as the stream. ({@code new
   * CUstream(...)} of it is for the driver API.)
   *
   * @throws dev.tessera.device.DeviceUnavailableException if the stream is on the CPU
   */
  public static cudaStream_t stream(Stream stream) {
    return StreamHandle.of(stream.queue());
  }

  // A pointer of CUdeviceptr can only be the device's; others point to Java arrays and buffers
  // unless CUDA filled them in.
  static long address(Pointer pointer) {
    DevicePointer copy = new DevicePointer(pointer);
    if (copy.base() == 0 && !(pointer instanceof CUdeviceptr)) {
      throw new IllegalArgumentException(
          "the pointer does not point to device memory: it is null, or points to a Java array or"
              + " buffer");
    }
    if (copy.address() == 0) {
      throw new IllegalArgumentException("the pointer is null");
    }
    return copy.address();
  }

  /** JCuda shows a pointer's value to subclasses alone. */
  private static final class DevicePointer extends Pointer {
    DevicePointer(long address) {
      super(address);
    }

    DevicePointer(Pointer other) {
      super(other);
    }

    long base() {
      return getNativePointer();
    }

    long address() {
      return getNativePointer() + getByteOffset();
    }
  }

  /** And likewise a stream's. */
  private static final class StreamHandle extends cudaStream_t {
    static final long LEGACY = 1; // cudaStreamLegacy

    StreamHandle(cudaStream_t other) {
      super(new CUstream(other));
    }

    long value() {
      return getNativePointer();
    }

    // The constructor for constants like cudaStreamLegacy is the one that takes a value.
    static cudaStream_t of(long queue) {
      try {
        Constructor<cudaStream_t> constructor =
            cudaStream_t.class.getDeclaredConstructor(long.class);
        constructor.setAccessible(true);
        return constructor.newInstance(queue);
      } catch (NoSuchMethodException
          | IllegalAccessException
          | InstantiationException
          | InvocationTargetException e) {
        throw new IllegalStateException(
            "this version of JCuda makes no cudaStream_t of a value: take 12.6.0", e);
      }
    }
  }
}
