package dev.tessera.train;

import java.io.Serial;

/** Training left the finite numbers; the run folder holds the last good checkpoint. */
public final class DivergedException extends RuntimeException {
  @Serial private static final long serialVersionUID = 1;

  /** Training diverged in {@code step}. */
  public DivergedException(long step, String what) {
    super("training diverged at step " + step + ": " + what + "; a smaller learning rate may help");
  }
}
