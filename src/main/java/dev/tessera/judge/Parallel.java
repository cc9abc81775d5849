package dev.tessera.judge;

import java.util.concurrent.Future;

/** Results of work that was shared out among threads. */
final class Parallel {
  private Parallel() {}

  /** The result of work that is done; what it threw is thrown here. */
  static <T> T result(Future<T> part) {
    return switch (part.state()) {
      case SUCCESS -> part.resultNow();
      case FAILED -> {
        Throwable e = part.exceptionNow();
        if (e instanceof RuntimeException failure) {
          throw failure;
        }
        if (e instanceof Error error) {
          throw error;
        }
        throw new IllegalStateException(e);
      }
      default -> throw new IllegalStateException("the work was interrupted");
    };
  }
}
