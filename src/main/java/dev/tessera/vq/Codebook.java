package dev.tessera.vq;

import dev.tessera.bindings.tessera_h;
import dev.tessera.bindings.ts_codebook_info;
import dev.tessera.device.NativeCall;
import dev.tessera.device.NativeHandle;
import dev.tessera.device.Stream;
import dev.tessera.device.Tensor;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import org.jspecify.annotations.Nullable;

/**
 * K codes of D numbers on a device, packed for fast search. Its current version never changes; an
 * update publishes the next one, while searches that are under way keep theirs. Thread-safe.
 */
public final class Codebook implements AutoCloseable {
  private final NativeHandle handle;
  private final long codes;
  private final long dim;

  private Codebook(NativeHandle handle, long codes, long dim) {
    this.handle = handle;
    this.codes = codes;
    this.dim = dim;
  }

  /**
   * A codebook of the rows of {@code codes} [K,D], which are copied.
   *
   * @throws dev.tessera.device.DataFaultException if a code has a NaN or an infinity
   */
  public static Codebook open(Stream stream, Tensor codes) {
    MemorySegment out = Arena.ofAuto().allocate(ValueLayout.ADDRESS);
    try (NativeCall call = stream.call()) {
      call.check(tessera_h.ts_codebook_open(call.stream(), call.arg(codes), out));
    }
    NativeHandle handle =
        new NativeHandle(
            stream.device(),
            out.get(ValueLayout.ADDRESS, 0),
            "the codebook",
            tessera_h::ts_codebook_close);
    return new Codebook(handle, codes.shape().dim(0), codes.shape().dim(1));
  }

  /** Number of codes, K. */
  public long codes() {
    return codes;
  }

  /** Length of a code, D. */
  public long dim() {
    return dim;
  }

  /** Number of the current version: 1 for the first, one more for each update. */
  public long version() {
    long[] version = new long[1];
    handle.call(
        (book, arena, error) -> {
          MemorySegment info = ts_codebook_info.allocate(arena);
          ts_codebook_info.struct_size(info, (int) ts_codebook_info.sizeof());
          int status = tessera_h.ts_codebook_describe(book, info, error);
          version[0] = ts_codebook_info.version(info);
          return status;
        });
    return version[0];
  }

  /** A read-only codebook that stays at the version that is current now; close it. */
  public Codebook pin() {
    MemorySegment[] pinned = new MemorySegment[1];
    handle.call(
        (book, arena, error) -> {
          MemorySegment out = arena.allocate(ValueLayout.ADDRESS);
          int status = tessera_h.ts_codebook_pin(book, out, error);
          pinned[0] = out.get(ValueLayout.ADDRESS, 0);
          return status;
        });
    NativeHandle copy =
        new NativeHandle(
            handle.device(), pinned[0], "the pinned codebook", tessera_h::ts_codebook_close);
    return new Codebook(copy, codes, dim);
  }

  /** Publishes {@code newCodes} [K,D] as the next version. */
  public void update(Stream stream, Tensor newCodes) {
    try (NativeCall call = stream.call()) {
      call.check(tessera_h.ts_codebook_update(call.stream(), call.arg(handle), call.arg(newCodes)));
    }
  }

  /** Copies the current codes to {@code out} [K,D]. */
  public void read(Stream stream, Tensor out) {
    try (NativeCall call = stream.call()) {
      call.check(tessera_h.ts_codebook_read(call.stream(), call.arg(handle), call.arg(out)));
    }
  }

  /**
   * Writes the nearest code of each row of {@code x} [...,D] to {@code out} (i32, as many elements
   * as rows): exactly {@code argmin_k sum_d (x_d - c_kd)^2} in float64, of equal sums the lowest k.
   *
   * @throws dev.tessera.device.DataFaultException if a row has a NaN or an infinity; its code is
   *     -1, the others are computed
   */
  public void assign(Stream stream, Tensor x, Tensor out) {
    try (NativeCall call = stream.call()) {
      call.check(
          tessera_h.ts_vq_assign(call.stream(), call.arg(handle), call.arg(x), call.arg(out)));
    }
  }

  /** Writes the code vectors of {@code indices} (i32) to {@code out} [...,D]. */
  public void gather(Stream stream, Tensor indices, Tensor out) {
    try (NativeCall call = stream.call()) {
      call.check(
          tessera_h.ts_vq_gather(
              call.stream(), call.arg(handle), call.arg(indices), call.arg(out)));
    }
  }

  /**
   * Codes, code vectors, squared error, and counts and sums per code, in one pass over {@code x};
   * see {@code ts_vq_quantize} of the header. {@code counts} and {@code sums} go together.
   */
  public void quantize(
      Stream stream,
      Tensor x,
      Tensor indices,
      @Nullable Tensor quantized,
      @Nullable Tensor squaredError,
      @Nullable Tensor counts,
      @Nullable Tensor sums) {
    try (NativeCall call = stream.call()) {
      call.check(
          tessera_h.ts_vq_quantize(
              call.stream(),
              call.arg(handle),
              call.arg(x),
              call.arg(indices),
              call.optional(quantized),
              call.optional(squaredError),
              call.optional(counts),
              call.optional(sums)));
    }
  }

  /** The native handle, for this package's other calls. */
  NativeHandle handle() {
    return handle;
  }

  @Override
  public void close() {
    handle.close();
  }
}
