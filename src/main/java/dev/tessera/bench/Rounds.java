package dev.tessera.bench;

import java.lang.management.ManagementFactory;
import java.lang.management.ThreadMXBean;
import java.util.ArrayList;
import java.util.List;
import java.util.function.DoubleSupplier;

/**
 * Several figures measured in turn, round after round, so that what happens to the machine's clocks
 * and neighbours happens to all of them.
 *
 * <p>A measurement in which the calling thread was kept off its processor is repeated on the spot,
 * a few times, and the one with the least loss is kept: which one counts is decided by what others
 * did, never by a result. (What happens to a stream's other threads, or to the whole virtual
 * machine, cannot be seen that way.)
 */
public final class Rounds {
  private static final int PATIENCE = 5; // measurements for each one that counts
  private static final long MOST_NANOS = 250_000_000; // of repeating; longer ones are never quiet
  private static final double QUIET = 0.01; // share of its time that a measurement may lose

  private final List<List<Sample>> kept; // [parts][rounds]
  private final int taken;

  private record Sample(double figure, double lost) {}

  private Rounds(List<List<Sample>> kept, int taken) {
    this.kept = kept;
    this.taken = taken;
  }

  /**
   * Measures {@code repeats} rounds.
   *
   * @param parts each measures one figure, once
   */
  public static Rounds measure(int repeats, List<DoubleSupplier> parts) {
    List<List<Sample>> kept = new ArrayList<>();
    parts.forEach(part -> kept.add(new ArrayList<>()));
    int taken = 0;
    for (int round = 0; round < repeats; round++) {
      for (int part = 0; part < parts.size(); part++) {
        long begin = System.nanoTime();
        Sample best = take(parts.get(part));
        taken++;
        for (int i = 1;
            i < PATIENCE && best.lost() > QUIET && System.nanoTime() - begin < MOST_NANOS;
            i++) {
          Sample next = take(parts.get(part));
          taken++;
          best = next.lost() < best.lost() ? next : best;
        }
        kept.get(part).add(best);
      }
    }
    return new Rounds(kept, taken);
  }

  private static Sample take(DoubleSupplier part) {
    ThreadMXBean threads = ManagementFactory.getThreadMXBean();
    long used = -threads.getCurrentThreadCpuTime();
    long wall = -System.nanoTime();
    double figure = part.getAsDouble();
    wall += System.nanoTime();
    used += threads.getCurrentThreadCpuTime();
    return new Sample(figure, Math.max(0, 1 - (double) used / wall));
  }

  /** Median and quartiles of a part's figures. */
  public Quartiles of(int part) {
    return Quartiles.of(kept.get(part).stream().mapToDouble(Sample::figure));
  }

  /** The share of its time on the wall that a part lost to others, on average. */
  public double lost(int part) {
    return kept.get(part).stream().mapToDouble(Sample::lost).average().orElse(0);
  }

  /** Measurements that do not count, as others had the processor. */
  public int thrownAway() {
    return taken - kept.stream().mapToInt(List::size).sum();
  }
}
