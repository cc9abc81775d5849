package dev.tessera.bench;

import java.lang.management.ManagementFactory;
import java.lang.management.ThreadMXBean;

/**
 * Seconds of a call. One shorter than the clock can tell is called several times in a row; the
 * first calls, which find caches cold and code not yet compiled, are not timed.
 *
 * <p>Work of the calling thread alone is measured by its processor time, which a busy neighbour
 * does not stretch; work of several threads by the clock on the wall, since those who wait for each
 * other pay for what any of them loses.
 */
public final class Stopwatch {
  private static final double SHORTEST = 2e-3; // seconds of a sample
  private static final double WARM_UP = 0.1; // seconds
  private static final double LONG = 1; // seconds: such a call warms up by itself

  private final ThreadMXBean thread = ManagementFactory.getThreadMXBean();
  private final boolean alone;
  private final Runnable call;
  private final double estimate; // seconds of a call
  private final int calls; // of a sample

  /**
   * Warms the call up: at least twice, and for a tenth of a second; once if that takes long.
   *
   * @param threads that the call uses, the calling one among them
   */
  public Stopwatch(int threads, Runnable call) {
    this.alone = threads == 1;
    this.call = call;
    double first = wall();
    this.estimate = first > LONG ? first : warmedUp();
    this.calls = (int) Math.max(1, Math.ceil(SHORTEST / estimate));
  }

  private double warmedUp() {
    int done = 0;
    double seconds = 0;
    while (seconds < WARM_UP) {
      seconds += wall();
      done++;
    }
    return seconds / done;
  }

  private double wall() {
    long begin = System.nanoTime();
    call.run();
    return (System.nanoTime() - begin) / 1e9;
  }

  /** Seconds of one call on the wall, roughly, from the warm-up. */
  public double estimate() {
    return estimate;
  }

  /** Seconds of one call, measured now. */
  public double measure() {
    long begin = now();
    for (int i = 0; i < calls; i++) {
      call.run();
    }
    return (now() - begin) / 1e9 / calls;
  }

  private long now() {
    return alone ? thread.getCurrentThreadCpuTime() : System.nanoTime();
  }
}
