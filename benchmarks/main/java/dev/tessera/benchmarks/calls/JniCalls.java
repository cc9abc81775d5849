package dev.tessera.benchmarks.calls;

import dev.tessera.benchmarks.harness.BenchmarkLibrary;

/** The bodies of {@code benchmarks/native/calls.c} through JNI. */
final class JniCalls {
  static {
    BenchmarkLibrary.load();
  }

  private JniCalls() {}

  /** x + 1. */
  static native int addOne(int x);

  /** Sum of {@code n} floats from an address on, in ascending order. */
  static native float sum(long address, int n);
}
