package dev.tessera.bench;

/**
 * Seconds of a call. One shorter than the clock can tell is called several times in a row; the
 * first calls, which find caches cold and code not yet compiled, are not timed.
 */
public final class Stopwatch {
  private static final double SHORTEST = 2e-3; // seconds of a sample
  private static final double WARM_UP = 0.1; // seconds
  private static final double LONG = 1; // seconds: such a call warms up by itself

  private final Runnable call;
  private final double estimate; // seconds of a call
  private final int calls; // of a sample

  /** Warms the call up: at least twice, and for a tenth of a second; once if that takes long. */
  public Stopwatch(Runnable call) {
    this.call = call;
    double first = seconds(1);
    this.estimate = first > LONG ? first : warmedUp();
    this.calls = (int) Math.max(1, Math.ceil(SHORTEST / estimate));
  }

  private double warmedUp() {
    int done = 0;
    double seconds = 0;
    while (seconds < WARM_UP) {
      seconds += seconds(1);
      done++;
    }
    return seconds / done;
  }

  /** Seconds of one call, roughly, from the warm-up. */
  public double estimate() {
    return estimate;
  }

  /** Seconds of one call, measured now. */
  public double measure() {
    return seconds(calls) / calls;
  }

  private double seconds(int times) {
    long begin = System.nanoTime();
    for (int i = 0; i < times; i++) {
      call.run();
    }
    return (System.nanoTime() - begin) / 1e9;
  }
}
