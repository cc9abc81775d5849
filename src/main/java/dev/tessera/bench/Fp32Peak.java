package dev.tessera.bench;

import dev.tessera.bindings.tessera_h;
import dev.tessera.device.DeviceUnavailableException;
import dev.tessera.device.NativeCall;
import dev.tessera.device.Stream;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/** The fp32 limit of a stream's processors: {@code ts_measure_fp32_peak}. */
public final class Fp32Peak {
  /** The widest vectors of the processor. */
  public static final int WIDEST = 0;

  /** AVX2's vectors. */
  public static final int AVX2 = 256;

  private Fp32Peak() {}

  /**
   * GFLOP/s of independent multiply-adds on the stream's threads, measured now, in about 2 ms; NaN
   * where the device does not measure itself or has no such vectors.
   *
   * @param vectorBits {@link #WIDEST} or {@link #AVX2}
   */
  public static double measure(Stream stream, int vectorBits) {
    try (Arena arena = Arena.ofConfined();
        NativeCall call = stream.call()) {
      MemorySegment out = arena.allocate(ValueLayout.JAVA_DOUBLE);
      call.check(tessera_h.ts_measure_fp32_peak(call.stream(), vectorBits, out));
      return out.get(ValueLayout.JAVA_DOUBLE, 0);
    } catch (DeviceUnavailableException e) {
      return Double.NaN;
    }
  }
}
