package dev.tessera.prior;

/** How far a prior's training is, beside the optimiser's step. A checkpoint holds it. */
final class PriorProgress {
  /** Numbers of {@link #toArray}. */
  static final int SIZE = 4;

  private double codes; // trained on since the epoch began
  private double nats; // their sum
  private double bestNats = Double.POSITIVE_INFINITY; // held-out, a code
  private double epochsSinceBest;

  /** Adds a step of {@code count} codes with this mean loss. */
  void add(long count, double meanNats) {
    codes += count;
    nats += count * meanNats;
  }

  /** Mean training loss of the epoch so far. */
  double meanNats() {
    return nats / codes;
  }

  /** Ends an epoch with this held-out loss; whether it is the best so far. */
  boolean endEpoch(double heldOutNats) {
    codes = 0;
    nats = 0;
    boolean better = heldOutNats < bestNats;
    epochsSinceBest = better ? 0 : epochsSinceBest + 1;
    bestNats = better ? heldOutNats : bestNats;
    return better;
  }

  double bestNats() {
    return bestNats;
  }

  int epochsSinceBest() {
    return (int) epochsSinceBest;
  }

  double[] toArray() {
    return new double[] {codes, nats, bestNats, epochsSinceBest};
  }

  void restore(double[] saved) {
    codes = saved[0];
    nats = saved[1];
    bestNats = saved[2];
    epochsSinceBest = saved[3];
  }
}
