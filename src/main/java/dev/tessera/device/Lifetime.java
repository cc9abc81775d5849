package dev.tessera.device;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;

/**
 * Whether something native is open, and how many calls use it now. Closing it while it is used, or
 * using it once it is closed, throws; so no call ever sees native memory that is gone. (The same
 * rules as a shared {@link java.lang.foreign.Arena}'s, without its handshake with every thread.)
 */
final class Lifetime {
  private static final VarHandle USERS;
  private static final int CLOSED = -1;

  static {
    try {
      USERS = MethodHandles.lookup().findVarHandle(Lifetime.class, "users", int.class);
    } catch (ReflectiveOperationException e) {
      throw new ExceptionInInitializerError(e);
    }
  }

  private final String what;

  @SuppressWarnings("unused") // through USERS
  private volatile int users;

  /** A lifetime whose messages call its object {@code what}: "the workspace", "device cpu". */
  Lifetime(String what) {
    this.what = what;
  }

  void acquire() {
    int now;
    do {
      now = (int) USERS.getVolatile(this);
      if (now == CLOSED) {
        throw new IllegalStateException(what + " is closed");
      }
    } while (!USERS.compareAndSet(this, now, now + 1));
  }

  void release() {
    USERS.getAndAdd(this, -1);
  }

  /**
   * Closes, once no call uses the object.
   *
   * @return false if it was closed already
   * @throws IllegalStateException if calls are using it
   */
  boolean close() {
    while (!USERS.compareAndSet(this, 0, CLOSED)) {
      int now = (int) USERS.getVolatile(this);
      if (now == CLOSED) {
        return false;
      }
      if (now > 0) {
        throw new IllegalStateException(what + " is in use by " + now + " calls");
      }
    }
    return true;
  }

  /** Undoes a close that the native side refused. */
  void reopen() {
    USERS.setVolatile(this, 0);
  }

  boolean isOpen() {
    return (int) USERS.getVolatile(this) != CLOSED;
  }

  /** Fails if calls use the object now, or if it is closed. */
  void requireIdle(String action) {
    int now = (int) USERS.getVolatile(this);
    if (now == CLOSED) {
      throw new IllegalStateException(what + " is closed");
    }
    if (now > 0) {
      throw new IllegalStateException(
          what + " is in use by " + now + " calls and cannot be " + action);
    }
  }
}
