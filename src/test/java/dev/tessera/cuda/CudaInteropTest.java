package dev.tessera.cuda;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.tessera.device.DataType;
import dev.tessera.device.Device;
import dev.tessera.device.DeviceUnavailableException;
import dev.tessera.device.Memory;
import dev.tessera.device.Shape;
import dev.tessera.device.Stream;
import dev.tessera.device.Tensor;
import java.nio.ByteBuffer;
import jcuda.Pointer;
import jcuda.driver.CUdeviceptr;
import jcuda.runtime.cudaStream_t;
import org.junit.jupiter.api.Test;

/**
 * Values of pointers, and what is refused. What is shared is tested on {@code cuda-emulated}, in
 * the module cuda.
 */
class CudaInteropTest {
  @Test
  void aPointersAddressIsItsBaseAndItsOffset() {
    try (Device cpu = Device.open("cpu");
        Memory block = new Memory(cpu, 4096)) {
      Tensor tensor = block.tensor(64, Shape.of(100), DataType.F32);
      long address = tensor.address();
      Pointer pointer = CudaInterop.pointer(tensor);
      assertEquals(address, CudaInterop.address(pointer));
      assertEquals(address + 12, CudaInterop.address(pointer.withByteOffset(12)));
      assertEquals(
          address - 4, CudaInterop.address(pointer.withByteOffset(12).withByteOffset(-16)));
      CUdeviceptr driver = CudaInterop.devicePointer(tensor);
      assertEquals(address, CudaInterop.address(driver));
      assertEquals(address + 12, CudaInterop.address(driver.withByteOffset(12)));
    }
  }

  @Test
  void pointersToTheHostAndToNothingAreRefused() {
    for (Pointer pointer :
        new Pointer[] {
          new Pointer(),
          new CUdeviceptr(),
          Pointer.to(new float[4]),
          Pointer.to(new float[4]).withByteOffset(8),
          Pointer.to(ByteBuffer.allocateDirect(16)),
          Pointer.to(new Pointer())
        }) {
      IllegalArgumentException e =
          assertThrows(IllegalArgumentException.class, () -> CudaInterop.address(pointer));
      assertTrue(String.valueOf(e.getMessage()).contains("null"), e.getMessage());
    }
  }

  @Test
  void theCpuHasNeitherMemoryNorQueuesOfCuda() {
    try (Device cpu = Device.open("cpu");
        Stream stream = cpu.openStream(1);
        Tensor tensor = cpu.allocate(Shape.of(4))) {
      Pointer pointer = CudaInterop.pointer(tensor);
      assertThrows(
          DeviceUnavailableException.class,
          () -> CudaInterop.tensor(cpu, pointer, Shape.of(4), DataType.F32));
      assertThrows(
          IllegalArgumentException.class, // 1 byte off
          () -> CudaInterop.tensor(cpu, pointer.withByteOffset(1), Shape.of(1), DataType.F32));
      assertThrows(DeviceUnavailableException.class, () -> CudaInterop.stream(stream));
      assertThrows(
          DeviceUnavailableException.class, () -> CudaInterop.stream(cpu, new cudaStream_t()));
    }
  }
}
