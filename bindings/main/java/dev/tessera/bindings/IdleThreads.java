package dev.tessera.bindings;

import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;

/**
 * How long libgomp's idle threads spin before they sleep. By default they spin for milliseconds,
 * and where threads outnumber processors (a loader beside training, two programs on one machine)
 * the spinning ones starve those that have work: steps become tens of times slower. libgomp reads
 * its settings from the environment once, when it is loaded; so the bound is set just before.
 */
final class IdleThreads {
  private static final String SPIN_COUNT = "GOMP_SPINCOUNT";
  private static final String WAIT_POLICY = "OMP_WAIT_POLICY";

  /** About 0.1 ms: longer than the gaps between the ops of a training step. */
  private static final String BOUND = "10000";

  private IdleThreads() {}

  /**
   * Bounds the spinning, unless the user's environment says something about it. Elsewhere than on
   * the platform that is built and tested it does nothing, so that a JVM which was told a wrong
   * {@code os.arch} makes no native call by it.
   */
  @SuppressWarnings("restricted") // the C library's setenv
  static void boundSpinning() {
    if (!Platform.name().equals(Platform.PACKAGED)
        || System.getenv(SPIN_COUNT) != null
        || System.getenv(WAIT_POLICY) != null) {
      return;
    }
    Linker linker = Linker.nativeLinker();
    MethodHandle setenv =
        linker.downcallHandle(
            linker.defaultLookup().findOrThrow("setenv"),
            FunctionDescriptor.of(
                ValueLayout.JAVA_INT,
                ValueLayout.ADDRESS,
                ValueLayout.ADDRESS,
                ValueLayout.JAVA_INT));
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment name = arena.allocateFrom(SPIN_COUNT);
      int status = (int) setenv.invokeExact(name, arena.allocateFrom(BOUND), 0);
      if (status != 0) {
        throw new NativeLibraryException("the environment has no room for " + SPIN_COUNT);
      }
    } catch (RuntimeException | Error e) {
      throw e;
    } catch (Throwable e) {
      throw new AssertionError("setenv throws nothing", e);
    }
  }
}
