package dev.tessera.vq;

import dev.tessera.bindings.tessera_h;
import dev.tessera.device.NativeCall;
import dev.tessera.device.Stream;
import dev.tessera.device.Tensor;

/** Counts and sums of rows by their codes: {@code ts_vq_scatter} of the header. */
public final class ScatterUpdate {
  private ScatterUpdate() {}

  /**
   * Overwrites {@code counts} [K] (i32) and {@code sums} [K,D] by those of the rows of {@code x}
   * [...,D] with these {@code codes} (i32, one a row), added in the header's one order.
   *
   * @throws dev.tessera.device.DataFaultException if a code is out of range; it is passed over
   */
  public static void run(Stream stream, Tensor x, Tensor codes, Tensor counts, Tensor sums) {
    try (NativeCall call = stream.call()) {
      call.check(
          tessera_h.ts_vq_scatter(
              call.stream(), call.arg(x), call.arg(codes), call.arg(counts), call.arg(sums)));
    }
  }
}
