package dev.tessera.benchmarks.vq;

import dev.tessera.bench.EncoderVectors;
import dev.tessera.bench.GaussianVectors;
import dev.tessera.bench.VectorData;
import dev.tessera.bench.VectorSource;
import dev.tessera.io.HostArray;
import dev.tessera.io.Safetensors;
import java.io.IOException;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Locale;
import java.util.Map;
import java.util.function.Consumer;

/**
 * A quantiser's work on rows of one shape.
 *
 * @param group that it is plotted and run with: assign, vq-step ...
 * @param work what is done
 * @param data where rows and codes come from
 * @param n rows
 * @param k codes
 * @param d length of both
 * @param threads of each library
 */
public record VqCase(String group, Work work, Data data, int n, int k, int d, int threads) {
  /** Rows [B,N,D] of a training step, in turn; [1,N,D] of a search. */
  public static final String ROWS = "rows";

  /** The codes [K,D] that both start from. */
  public static final String CODES = "codes";

  /** The gradient [N,D] that comes back from the decoder in a training step. */
  public static final String GRADIENT = "gradient";

  /** Batches of a training step. */
  public static final int BATCHES = 4;

  private static final long SEED = 1;
  private static final float GRADIENT_SCALE = 1e-3f;

  /** What is done with the rows. */
  public enum Work {
    /** The nearest code of every row. */
    ASSIGN,
    /** Forward, losses, backward, update of the codebook by moving averages. */
    STEP
  }

  /** Where vectors come from. */
  public enum Data {
    /** Rows N(0,1), codes N(0,1/4). */
    GAUSSIAN,
    /** Outputs of an encoder trained on digits, and its codes or k-means of other outputs. */
    TRAINED;

    VectorSource source(String version, Consumer<String> log) {
      return switch (this) {
        case GAUSSIAN -> new GaussianVectors(SEED);
        case TRAINED -> EncoderVectors.inUserCache(version, SEED, log);
      };
    }
  }

  /** The name by which it can be chosen. */
  public String name() {
    return "%s/%s/n%d-k%d-d%d-t%d"
        .formatted(group, data.name().toLowerCase(Locale.ROOT), n, k, d, threads);
  }

  /** 2NKD, the arithmetic of a search that scores every code in full. */
  public double operations() {
    return 2.0 * n * k * d;
  }

  /**
   * Writes what every library starts from; says what it is.
   *
   * @param version of Tessera, for the records of a run that has to be trained first
   * @param log takes lines for people
   */
  public String writeInputs(Path file, String version, Consumer<String> log) throws IOException {
    int batches = work == Work.STEP ? BATCHES : 1;
    VectorData vectors = data.source(version, log).draw(batches * n, k, d);
    Map<String, HostArray> arrays = new LinkedHashMap<>();
    arrays.put(ROWS, HostArray.of(vectors.rows(), batches, n, d));
    arrays.put(CODES, HostArray.of(vectors.codes(), k, d));
    if (work == Work.STEP) {
      float[] gradient = new GaussianVectors(SEED + 1).draw(n, 1, d).rows();
      for (int i = 0; i < gradient.length; i++) {
        gradient[i] *= GRADIENT_SCALE;
      }
      arrays.put(GRADIENT, HostArray.of(gradient, n, d));
    }
    Safetensors.write(file, arrays, Map.of());
    return vectors.description();
  }
}
