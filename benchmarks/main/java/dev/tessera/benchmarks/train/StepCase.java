package dev.tessera.benchmarks.train;

/**
 * A training step to compare: of a whole model ({@link TrainCase}) or of a prior over its codes.
 */
public sealed interface StepCase permits TrainCase, PriorCase {
  /** Of Adam, on both sides. */
  double ADAM_EPSILON = 1e-8;

  /** Batches that the steps go through, in turn. */
  int BATCHES = 16;

  /** Ends in {@code -networks}, {@code -step} or {@code -prior}. */
  String name();

  /** Images a step. */
  int batch();

  /** What is timed, in a few words. */
  String what();

  /** The largest difference in an output that counts as the same. */
  double bound(String output);

  /**
   * A case by its name.
   *
   * @throws IllegalArgumentException if there is no such case
   */
  static StepCase named(String name) {
    return name.endsWith(PriorCase.SUFFIX) ? PriorCase.named(name) : TrainCase.named(name);
  }
}
