package dev.tessera.cuda.emulated;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.tessera.device.Device;
import dev.tessera.device.Memory;
import dev.tessera.device.Shape;
import dev.tessera.device.Stream;
import dev.tessera.device.Tensor;
import java.lang.foreign.Arena;
import java.util.Arrays;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/**
 * Tensors that streams share. The emulator runs what is in a stream when somebody waits for it, so
 * what is not ordered goes wrong here always.
 */
class EmulatedStreamsTest {
  private final Device device = Device.open("cuda-emulated");
  private final Stream first = device.openStream(1);
  private final Stream second = device.openStream(1);

  @AfterEach
  void close() {
    second.close();
    first.close();
    device.close();
  }

  private static float[] of(float value) {
    float[] values = new float[1000];
    Arrays.fill(values, value);
    return values;
  }

  @Test
  void aStreamThatWaitsSeesWhatTheOtherWrote() {
    try (Tensor x = device.allocate(Shape.of(1000));
        Tensor y = device.allocate(Shape.of(1000))) {
      x.copyFrom(first, of(3));
      second.waitFor(first);
      second.copy(y, x);
      assertArrayEquals(of(3), y.toFloats(second));
      first.waitFor(second); // which reads x
      x.copyFrom(first, of(4));
      first.synchronize();
      assertArrayEquals(of(4), x.toFloats(second));
    }
  }

  /** So the test above proves something. */
  @Test
  void aStreamThatDoesNotWaitSeesWhatWasThereBefore() {
    try (Tensor x = device.allocate(Shape.of(1000))) {
      x.copyFrom(first, of(3));
      assertFalse(Arrays.equals(of(3), x.toFloats(second)));
    }
  }

  @Test
  void onlyStreamsOfOneDeviceWaitForEachOther() {
    try (Device other = Device.open("cuda-emulated");
        Stream stream = other.openStream(1)) {
      IllegalArgumentException e =
          assertThrows(IllegalArgumentException.class, () -> stream.waitFor(first));
      assertTrue(String.valueOf(e.getMessage()).contains("another open device"), e.getMessage());
    }
    first.waitFor(first);
  }

  /** Its work is still to run when a call returns, so its memory cannot be shown as it is. */
  @Test
  void memoryIsNotTheHosts() {
    assertFalse(device.isHost());
    try (Tensor x = device.allocate(Shape.of(10));
        Arena arena = Arena.ofConfined()) {
      assertThrows(UnsupportedOperationException.class, x::segment);
      assertEquals(true, Memory.over(device, arena.allocate(40)).isEmpty());
    }
  }
}
