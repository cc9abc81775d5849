package dev.tessera.device;

import static org.junit.jupiter.api.Assertions.assertDoesNotThrow;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.tessera.bindings.tessera_h;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** What is closed or reset cannot be used, and what is used cannot be closed or reset. */
class LifetimesTest {
  private final Device device = Device.open("cpu");
  private final Stream stream = device.openStream(1);

  @AfterEach
  void closeAll() {
    stream.close();
    device.close();
  }

  @Test
  void aClosedTensorThrowsInEveryUse() {
    Tensor tensor = device.allocate(Shape.of(4));
    stream.fill(tensor, 1);
    MemorySegment view = tensor.segment();
    tensor.close();
    tensor.close();
    assertThrows(IllegalStateException.class, () -> stream.fill(tensor, 2));
    assertThrows(IllegalStateException.class, () -> tensor.toFloats(stream));
    assertThrows(IllegalStateException.class, tensor::segment);
    assertThrows(IllegalStateException.class, () -> view.get(ValueLayout.JAVA_FLOAT, 0));
  }

  @Test
  void closingATensorDuringACallThrowsAndLeavesItOpen() {
    Tensor tensor = device.allocate(Shape.of(4));
    try (NativeCall call = stream.call()) {
      call.arg(tensor);
      IllegalStateException e = assertThrows(IllegalStateException.class, tensor::close);
      assertTrue(String.valueOf(e.getMessage()).contains("in use by 1 calls"), e.getMessage());
    }
    stream.fill(tensor, 3);
    assertEquals(3f, tensor.toFloats(stream)[3]);
    tensor.close();
  }

  @Test
  void aWorkspaceTensorThrowsAfterTheReset() {
    try (Workspace workspace = new Workspace(device, 0)) {
      Tensor stale = workspace.allocate(Shape.of(2, 3));
      stream.fill(stale, 1);
      workspace.reset();
      Tensor fresh = workspace.allocate(Shape.of(2, 3));
      stream.fill(fresh, 2);
      IllegalStateException e =
          assertThrows(IllegalStateException.class, () -> stream.fill(stale, 9));
      assertTrue(String.valueOf(e.getMessage()).contains("workspace was reset"), e.getMessage());
      assertThrows(IllegalStateException.class, stale::segment);
      assertThrows(IllegalStateException.class, () -> stale.reshape(Shape.of(6)));
      assertEquals(2f, fresh.toFloats(stream)[5]);
    }
  }

  @Test
  void aWorkspaceCannotBeResetOrClosedDuringACall() {
    try (Workspace workspace = new Workspace(device, 0)) {
      Tensor tensor = workspace.allocate(Shape.of(5));
      try (NativeCall call = stream.call()) {
        call.arg(tensor);
        assertThrows(IllegalStateException.class, workspace::reset);
        assertThrows(IllegalStateException.class, workspace::close);
      }
      workspace.reset();
    }
  }

  @Test
  void aWorkspaceGrowsOnceAndThenAllocatesNothing() {
    try (Workspace workspace = new Workspace(device, 0)) {
      long steady = 0;
      for (int step = 0; step < 5; step++) {
        workspace.reset();
        for (int i = 0; i < 40; i++) {
          stream.fill(workspace.allocate(Shape.of(1000 + i)), i);
        }
        if (step == 2) {
          steady = device.memoryUse().allocations();
        }
      }
      assertEquals(steady, device.memoryUse().allocations());
      assertTrue(workspace.peakBytes() >= 40 * 4000);
    }
  }

  @Test
  void aDeviceStaysOpenWhileItHoldsSomething() {
    Device other = Device.open("cpu");
    Tensor tensor = other.allocate(Shape.of(1));
    IllegalStateException e = assertThrows(IllegalStateException.class, other::close);
    assertTrue(String.valueOf(e.getMessage()).contains("in use"), e.getMessage());
    assertNotNull(other.info());
    tensor.close();
    other.close();
    other.close();
    assertThrows(IllegalStateException.class, other::info);
    assertThrows(IllegalStateException.class, () -> other.allocate(Shape.of(1)));
  }

  @Test
  void aClosedStreamThrowsAndNestedCallsAreRefused() {
    Stream other = device.openStream(2);
    try (NativeCall call = other.call()) {
      assertNotNull(call.stream());
      assertThrows(IllegalStateException.class, other::call);
      assertThrows(IllegalStateException.class, other::close);
    }
    other.close();
    other.close();
    assertThrows(IllegalStateException.class, other::synchronize);
  }

  /**
   * The memory that heap arrays are copied through: a larger one frees it, and the stream's close.
   */
  @Test
  void aStreamFreesWhatItsCopiesWentThrough() {
    Stream other = device.openStream(1);
    try (Tensor few = device.allocate(Shape.of(100));
        Tensor many = device.allocate(Shape.of(1000))) {
      few.copyFrom(other, new float[100]);
      MemorySegment first = other.staging();
      few.toFloats(other);
      assertEquals(first, other.staging());
      many.toFloats(other);
      MemorySegment second = other.staging();
      assertFalse(first.scope().isAlive());
      few.copyFrom(other, new float[100]);
      assertEquals(second, other.staging());
      other.close();
      assertFalse(second.scope().isAlive());
    }
  }

  @Test
  void closingWhileOtherThreadsCallNeverReachesFreedMemory() throws InterruptedException {
    AtomicInteger refused = new AtomicInteger();
    AtomicInteger done = new AtomicInteger();
    for (int round = 0; round < 200; round++) {
      Tensor tensor = device.allocate(Shape.of(4096));
      CountDownLatch start = new CountDownLatch(1);
      Thread user =
          Thread.ofVirtual()
              .start(
                  () -> {
                    assertDoesNotThrow(() -> start.await());
                    try {
                      for (int i = 0; i < 50; i++) {
                        stream.fill(tensor, i);
                        done.incrementAndGet();
                      }
                    } catch (IllegalStateException e) {
                      refused.incrementAndGet();
                    }
                  });
      start.countDown();
      boolean closed = false;
      while (!closed) {
        try {
          tensor.close();
          closed = true;
        } catch (IllegalStateException inUse) {
          Thread.onSpinWait();
        }
      }
      user.join();
    }
    assertTrue(refused.get() + done.get() >= 200);
  }

  @Test
  void errorsOfTheLibraryBecomeExceptions() {
    IllegalArgumentException name =
        assertThrows(IllegalArgumentException.class, () -> Device.open("gpu"));
    assertTrue(String.valueOf(name.getMessage()).contains("cuda:N"), name.getMessage());
    DeviceUnavailableException absent =
        assertThrows(DeviceUnavailableException.class, () -> Device.open("cuda:1023"));
    assertTrue(String.valueOf(absent.getMessage()).contains("cuda:1023"), absent.getMessage());
    DeviceUnavailableException noPlugin = // it is in another jar
        assertThrows(DeviceUnavailableException.class, () -> Device.open("cuda-emulated"));
    assertTrue(
        String.valueOf(noPlugin.getMessage()).contains("the jar tessera-cuda has it"),
        noPlugin.getMessage());
    try (Tensor a = device.allocate(Shape.of(3));
        Tensor b = device.allocate(Shape.of(4));
        NativeCall call = stream.call()) {
      int status = tessera_h.ts_unary(call.stream(), tessera_h.TS_RELU(), call.arg(a), call.arg(b));
      IllegalArgumentException e =
          assertThrows(IllegalArgumentException.class, () -> call.check(status));
      assertTrue(String.valueOf(e.getMessage()).contains("y has shape [4]"), e.getMessage());
    }
    assertThrows(TesseraException.class, () -> device.allocate(Shape.of(1L << 50)));
    assertThrows(IllegalArgumentException.class, () -> device.openStream(0));
    assertThrows(IllegalArgumentException.class, () -> Shape.of(1, -1));
    assertThrows(ArithmeticException.class, () -> Shape.of(1L << 40, 1L << 40));
  }

  @Test
  void copiesNeedTheExactSize() {
    try (Tensor tensor = device.allocate(Shape.of(3))) {
      assertThrows(
          IllegalArgumentException.class, () -> tensor.copyFrom(stream, new float[] {1, 2}));
      tensor.copyFrom(stream, new float[] {1, 2, 3});
      assertEquals(2f, tensor.toFloats(stream)[1]);
      assertEquals(3f, tensor.segment().getAtIndex(ValueLayout.JAVA_FLOAT, 2));
      assertThrows(IllegalStateException.class, () -> tensor.toInts(stream));
    }
  }
}
