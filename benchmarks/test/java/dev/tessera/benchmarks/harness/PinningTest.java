package dev.tessera.benchmarks.harness;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;

import org.junit.jupiter.api.Test;

class PinningTest {
  @Test
  void lastProcessorIsTheHighestBit() {
    assertArrayEquals(new byte[] {0, 4, 0}, Pinning.last(new byte[] {(byte) 0xFF, 7, 0}));
    assertArrayEquals(new byte[] {(byte) 0x80}, Pinning.last(new byte[] {(byte) 0xFF}));
  }

  @Test
  void noProcessorStaysNone() {
    assertArrayEquals(new byte[] {0, 0}, Pinning.last(new byte[] {0, 0}));
  }
}
