package dev.tessera.cuda.emulated;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.tessera.cuda.CudaInterop;
import dev.tessera.device.DataType;
import dev.tessera.device.Device;
import dev.tessera.device.Shape;
import dev.tessera.device.Stream;
import dev.tessera.device.Tensor;
import jcuda.Pointer;
import jcuda.driver.CUdeviceptr;
import jcuda.runtime.cudaStream_t;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** JCuda's pointers and streams as tensors and streams, and back, on one memory and one queue. */
class EmulatedInteropTest {
  private final Device device = Device.open("cuda-emulated");
  private final Stream stream = device.openStream(1);

  @AfterEach
  void close() {
    stream.close();
    device.close();
  }

  private static void refused(String word, Runnable call) {
    IllegalArgumentException e = assertThrows(IllegalArgumentException.class, call::run);
    assertTrue(String.valueOf(e.getMessage()).contains(word), e.getMessage());
  }

  @Test
  void aTensorOverAPointerSharesItsMemory() {
    try (Tensor x = device.allocate(Shape.of(6))) {
      Pointer pointer = CudaInterop.pointer(x);
      CUdeviceptr driver = CudaInterop.devicePointer(x);
      try (Tensor whole = CudaInterop.tensor(device, pointer, Shape.of(2, 3), DataType.F32);
          Tensor tail =
              CudaInterop.tensor(device, driver.withByteOffset(16), Shape.of(2), DataType.F32)) {
        x.copyFrom(stream, new float[] {1, 2, 3, 4, 5, 6});
        assertArrayEquals(new float[] {1, 2, 3, 4, 5, 6}, whole.toFloats(stream));
        assertArrayEquals(new float[] {5, 6}, tail.toFloats(stream));
        stream.fill(tail, 9);
      }
      // Closing them freed nothing.
      assertArrayEquals(new float[] {1, 2, 3, 4, 9, 9}, x.toFloats(stream));
    }
  }

  @Test
  void aTensorEndsWithItsClose() {
    try (Tensor x = device.allocate(Shape.of(6))) {
      Tensor view = CudaInterop.tensor(device, CudaInterop.pointer(x), Shape.of(6), DataType.F32);
      view.close();
      view.close();
      assertThrows(IllegalStateException.class, () -> view.toFloats(stream));
      assertThrows(IllegalStateException.class, () -> CudaInterop.pointer(view));
      long before = device.memoryUse().bytesInUse();
      assertArrayEquals(new float[6], filled(x));
      assertEquals(before, device.memoryUse().bytesInUse());
    }
  }

  private float[] filled(Tensor x) {
    stream.fill(x, 0);
    return x.toFloats(stream);
  }

  @Test
  void memoryThatIsNotTheDevicesIsRefused() {
    try (Tensor x = device.allocate(Shape.of(6))) {
      Pointer pointer = CudaInterop.pointer(x);
      refused(
          "not memory of a device",
          () -> CudaInterop.tensor(device, pointer, Shape.of(7), DataType.F32));
      refused(
          "aligned",
          () ->
              CudaInterop.tensor(
                  device,
                  CudaInterop.devicePointer(x).withByteOffset(2),
                  Shape.of(1),
                  DataType.F32));
      refused(
          "Java array",
          () -> CudaInterop.tensor(device, Pointer.to(new float[6]), Shape.of(6), DataType.F32));
    }
  }

  @Test
  void oneQueueServesBothSides() {
    cudaStream_t queue = CudaInterop.stream(stream);
    try (Stream other = CudaInterop.stream(device, queue);
        Tensor x = device.allocate(Shape.of(100));
        Tensor y = device.allocate(Shape.of(100))) {
      assertEquals(stream.queue(), other.queue());
      stream.fill(x, 5);
      other.copy(y, x); // without waiting: it is the same queue
      assertEquals(5f, y.toFloats(stream)[99]);
    }
    // It is still open.
    stream.synchronize();
    Stream closed = device.openStream(1);
    long gone = closed.queue();
    closed.close();
    refused("no open stream", () -> Stream.foreign(device, gone));
    assertThrows(IllegalStateException.class, closed::queue);
    refused("cudaStreamPerThread", () -> Stream.foreign(device, 2));
  }
}
