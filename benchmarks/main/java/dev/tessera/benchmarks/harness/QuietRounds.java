package dev.tessera.benchmarks.harness;

import java.util.ArrayList;
import java.util.List;

/**
 * The rounds of a measurement. One in which others used the processors is thrown away and repeated,
 * as long as there is patience; whether a round counts is thus decided by what others did, never by
 * its result. When patience has run out, rounds count as they are, and the report says so.
 */
final class QuietRounds {
  private static final long POLL_MILLIS = 500;

  private final List<TaskProcess> measured;
  private final int wanted;
  private final List<Disturbance.Report> kept = new ArrayList<>();
  private int repeated;
  private double patience; // seconds left
  private boolean quiet; // when it was last looked at
  private Disturbance watch;
  private long begin;

  QuietRounds(List<TaskProcess> measured, RoundPlan plan) {
    this.measured = measured;
    this.wanted = plan.rounds();
    this.patience = plan.patienceSeconds();
    this.watch = new Disturbance(measured);
  }

  /**
   * Whether another round is wanted. Waits until the machine is quiet, unless it was in the round
   * before, and watches from then on.
   */
  boolean next() {
    if (kept.size() == wanted) {
      return false;
    }
    while (patience > 0 && !quiet) {
      Disturbance poll = new Disturbance(measured);
      sleep();
      patience -= POLL_MILLIS / 1e3;
      quiet = poll.report().quiet();
    }
    watch = new Disturbance(measured);
    begin = System.nanoTime();
    return true;
  }

  /** Ends the round: whether it counts. */
  boolean counts() {
    Disturbance.Report report = watch.report();
    quiet = report.quiet();
    if (!quiet && patience > 0) {
      patience -= (System.nanoTime() - begin) / 1e9;
      repeated++;
      return false;
    }
    kept.add(report);
    return true;
  }

  /** Index of the round that {@link #next} began, of those that count. */
  int index() {
    return kept.size();
  }

  /** What others did, on average over the rounds that count. */
  Disturbance.Report disturbance() {
    return Disturbance.Report.average(kept);
  }

  int repeated() {
    return repeated;
  }

  private static void sleep() {
    try {
      Thread.sleep(POLL_MILLIS);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IllegalStateException("interrupted while waiting for a quiet machine", e);
    }
  }
}
