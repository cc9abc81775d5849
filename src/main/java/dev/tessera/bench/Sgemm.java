package dev.tessera.bench;

import dev.tessera.bindings.NativeLibrary;
import dev.tessera.bindings.tessera_h;
import dev.tessera.bindings.ts_matmul_params;
import dev.tessera.device.DataType;
import dev.tessera.device.Memory;
import dev.tessera.device.NativeCall;
import dev.tessera.device.Shape;
import dev.tessera.device.Stream;
import dev.tessera.device.Tensor;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;

/**
 * The matrix product at the heart of the usual search, {@code |x|^2 + |c|^2 - 2 x c^T}: oneDNN's
 * fp32 [N,D] x [D,K] and nothing else, no norms and no argmin. The output of some rows at a time
 * goes to the same buffer over and over, so that the product is not charged for memory that a
 * search can do without.
 */
public final class Sgemm implements AutoCloseable {
  private static final long MOST_BYTES = 4 << 20; // of the output: the fastest of 0.5 to 64 MiB

  private final Stream stream;
  private final Memory memory; // x [N,D], the codes as [D,K], the output [rows,K]
  private final Tensor codes;
  private final List<Part> parts = new ArrayList<>();
  private final MemorySegment params;

  private record Part(Tensor rows, Tensor product) {}

  /** The product of copies of the data's rows and codes. */
  public Sgemm(Stream stream, VectorData data) {
    NativeLibrary.prepareLayers();
    int n = data.n();
    int k = data.k();
    int d = data.d();
    int rows = Math.clamp(MOST_BYTES / Float.BYTES / k, 1, Math.max(1, n));
    long codesAt = aligned((long) n * d);
    long productAt = codesAt + aligned((long) k * d);
    this.stream = stream;
    this.memory = new Memory(stream.device(), productAt + aligned((long) rows * k));
    memory.tensor(0, Shape.of(n, d), DataType.F32).copyFrom(stream, data.rows());
    this.codes = memory.tensor(codesAt, Shape.of(d, k), DataType.F32);
    codes.copyFrom(stream, transposed(data.codes(), k, d));
    for (int from = 0; from < n; from += rows) {
      int count = Math.min(rows, n - from);
      parts.add(
          new Part(
              memory.tensor((long) from * d * Float.BYTES, Shape.of(count, d), DataType.F32),
              memory.tensor(productAt, Shape.of(count, k), DataType.F32)));
    }
    this.params = ts_matmul_params.allocate(Arena.ofAuto());
    ts_matmul_params.struct_size(params, (int) ts_matmul_params.sizeof());
  }

  /** Multiplies all rows. */
  public void run() {
    for (Part part : parts) {
      try (NativeCall call = stream.call()) {
        call.check(
            tessera_h.ts_matmul(
                call.stream(),
                params,
                call.arg(part.rows),
                call.arg(codes),
                call.optional(null),
                call.arg(part.product)));
      }
    }
  }

  private static long aligned(long floats) {
    return (floats * Float.BYTES + 63) / 64 * 64;
  }

  private static float[] transposed(float[] codes, int k, int d) {
    float[] result = new float[codes.length];
    for (int c = 0; c < k; c++) {
      for (int i = 0; i < d; i++) {
        result[i * k + c] = codes[c * d + i];
      }
    }
    return result;
  }

  @Override
  public void close() {
    memory.close();
  }
}
