package dev.tessera.cli;

import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;

/** Ctrl-C: asks training to stop, and holds the exit until the checkpoint is written. */
final class Interrupt extends Thread {
  private final AtomicBoolean asked = new AtomicBoolean();
  private final CountDownLatch saved = new CountDownLatch(1);

  private Interrupt() {}

  /** Watches for Ctrl-C until {@link #finished}. */
  static Interrupt install() {
    Interrupt interrupt = new Interrupt();
    Runtime.getRuntime().addShutdownHook(interrupt);
    return interrupt;
  }

  /** Whether training should stop. */
  boolean asked() {
    return asked.get();
  }

  @Override
  public void run() {
    asked.set(true);
    try {
      if (!saved.await(60, TimeUnit.SECONDS)) {
        System.err.println(
            "tessera: training did not stop within a minute; the run folder holds"
                + " the checkpoint before");
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  /** All is saved. */
  void finished() {
    saved.countDown();
    if (!asked.get()) {
      try {
        Runtime.getRuntime().removeShutdownHook(this);
      } catch (IllegalStateException e) {
        // the exit began in this moment: the hook runs and finds everything saved
      }
    }
  }
}
