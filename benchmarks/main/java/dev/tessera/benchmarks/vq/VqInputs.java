package dev.tessera.benchmarks.vq;

import dev.tessera.io.ElementType;
import dev.tessera.io.HostArray;
import dev.tessera.io.Safetensors;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.nio.file.Path;

/** What a library reads to do a {@link VqCase}: the file that {@link VqCase#writeInputs} wrote. */
public final class VqInputs {
  /** Bytes of an f32 or an i32. */
  public static final long WORD = 4;

  /** Moving averages of Sonnet's example. */
  public static final double DECAY = 0.99;

  /** Laplace smoothing of Sonnet's example. */
  public static final double EPSILON = 1e-5;

  /** Weight of the commitment loss, beta, of the paper. */
  public static final double COMMITMENT = 0.25;

  private final float[][] batches;
  private final float[] codes;
  private final float[] gradient;
  private final int n;
  private final int k;
  private final int d;

  /**
   * Arrays, without a copy.
   *
   * @param batches rows [N,D] of each batch
   * @param codes [K,D]
   * @param gradient [N,D], empty for a search
   * @param d length of rows and codes
   */
  public VqInputs(float[][] batches, float[] codes, float[] gradient, int d) {
    this.batches = batches;
    this.codes = codes;
    this.gradient = gradient;
    this.n = batches[0].length / d;
    this.k = codes.length / d;
    this.d = d;
  }

  /** Reads a file. */
  public static VqInputs read(Path file) throws IOException {
    try (Arena arena = Arena.ofConfined()) {
      Safetensors all = Safetensors.read(file, arena);
      HostArray rows = array(all, VqCase.ROWS);
      HostArray codes = array(all, VqCase.CODES);
      int n = Math.toIntExact(rows.shape()[1]);
      int d = Math.toIntExact(rows.shape()[2]);
      float[] flat = rows.toFloats();
      float[][] batches = new float[Math.toIntExact(rows.shape()[0])][n * d];
      for (int b = 0; b < batches.length; b++) {
        System.arraycopy(flat, b * n * d, batches[b], 0, n * d);
      }
      float[] gradient =
          all.tensors().containsKey(VqCase.GRADIENT)
              ? all.get(VqCase.GRADIENT, ElementType.F32, n, d).toFloats()
              : new float[0];
      return new VqInputs(batches, codes.toFloats(), gradient, d);
    }
  }

  private static HostArray array(Safetensors file, String name) {
    HostArray array = file.tensors().get(name);
    if (array == null) {
      throw new IllegalArgumentException("the inputs hold no " + name);
    }
    return array;
  }

  /** Rows [N,D] of each batch; not a copy. */
  public float[][] batches() {
    return batches;
  }

  /** The codes [K,D]; not a copy. */
  public float[] codes() {
    return codes;
  }

  /** The gradient [N,D], empty for a search; not a copy. */
  public float[] gradient() {
    return gradient;
  }

  /** Rows of a batch. */
  public int n() {
    return n;
  }

  /** Number of codes. */
  public int k() {
    return k;
  }

  /** Length of rows and codes. */
  public int d() {
    return d;
  }

  /** The rows of a search. */
  public float[] rows() {
    return batches[0];
  }

  /** Bytes of a search's inputs and outputs, with codes of {@code codeBytes} each. */
  public long searchBytes(long codeBytes) {
    return WORD * ((long) n * d + (long) k * d) + codeBytes * n;
  }

  /**
   * Bytes of a training step's inputs (batches, gradient), state (codes, averages of counts and
   * sums) and outputs (vectors, gradient, codes of {@code codeBytes} each, loss).
   */
  public long stepBytes(long codeBytes) {
    long nd = (long) n * d;
    long kd = (long) k * d;
    return WORD * ((batches.length + 3) * nd + 2 * kd + k) + codeBytes * n + 2 * WORD;
  }
}
