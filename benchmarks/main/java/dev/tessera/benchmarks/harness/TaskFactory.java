package dev.tessera.benchmarks.harness;

import java.io.IOException;
import java.nio.file.Path;
import java.util.SequencedMap;

/** A library that can be compared: opens its form of a task. */
public interface TaskFactory {
  /**
   * Opens a task in its first state.
   *
   * @param name of the task; every library has its own form of it
   * @param inputs a safetensors file with what both start from
   * @param threads that it may use
   * @throws IllegalArgumentException if there is no such task
   */
  Task open(String name, Path inputs, int threads) throws IOException;

  /**
   * Writes the file that both libraries open the task from.
   *
   * @throws UnsupportedOperationException if this library is the one that reads it
   */
  default void writeInputs(String name, Path inputs) throws IOException {
    throw new UnsupportedOperationException("inputs are written by the other side");
  }

  /** Versions and settings of the library, by name. */
  SequencedMap<String, String> describe();
}
