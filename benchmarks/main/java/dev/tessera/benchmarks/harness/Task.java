package dev.tessera.benchmarks.harness;

import dev.tessera.io.HostArray;
import java.util.Map;

/** One library's form of some work, open in a process of its own. */
public interface Task extends AutoCloseable {
  /**
   * What the work computes, by name, from the task's first state: compared with the other library's
   * before anything is timed. Called once, before {@link #step}.
   */
  Map<String, HostArray> outputs();

  /** Does the work once; this is what is timed. */
  void step();

  /** How it is done, for the report: layout, algorithm, what was tried and found slower. */
  String form();

  /**
   * Bytes of inputs, outputs and state that the task holds in memory of the C library, and that
   * every form of it must hold; what it takes beyond them is extra.
   *
   * @throws UnsupportedOperationException if the memory of this task is not compared
   */
  default long neededBytes() {
    throw new UnsupportedOperationException("the memory of this task is not compared");
  }

  @Override
  void close();
}
