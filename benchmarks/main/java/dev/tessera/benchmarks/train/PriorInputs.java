package dev.tessera.benchmarks.train;

import dev.tessera.device.Device;
import dev.tessera.device.Stream;
import dev.tessera.device.Tensor;
import dev.tessera.io.ElementType;
import dev.tessera.io.HostArray;
import dev.tessera.io.MalformedFileException;
import dev.tessera.io.Safetensors;
import dev.tessera.model.ModelFile;
import dev.tessera.prior.Prior;
import dev.tessera.prior.PriorConfig.Grid;
import java.io.IOException;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Random;

/**
 * What both sides of a prior's case start from: the first weights under our names and {@code
 * codes}, i32 {@code [N,H,W]}. Codes are drawn uniformly, which scatters what a first layer reads
 * and adds to more than trained codes do.
 */
public final class PriorInputs {
  private static final String CODES = "codes";

  private PriorInputs() {}

  static void write(Device device, PriorCase test, Path file) throws IOException {
    Map<String, HostArray> tensors = new LinkedHashMap<>();
    try (Stream stream = device.openStream(1);
        Prior prior = Prior.of(test.config(), stream, 1)) {
      ModelFile.collect(stream, weights(prior), tensors);
    }
    Grid grid = test.config().grid();
    int count = test.batch() * StepCase.BATCHES;
    int[] codes = new Random(1).ints((long) count * grid.positions(), 0, grid.codes()).toArray();
    tensors.put(CODES, HostArray.of(codes, count, grid.rows(), grid.columns()));
    Safetensors.write(file, tensors, Map.of());
  }

  /** The weights of a prior, by name. */
  static Map<String, Tensor> weights(Prior prior) {
    Map<String, Tensor> named = new LinkedHashMap<>();
    prior.parameters().byName().forEach((name, p) -> named.put(name, p.value()));
    return named;
  }

  /** The weights of a file of inputs, by name. */
  public static Map<String, HostArray> weights(Safetensors file) {
    Map<String, HostArray> weights = new LinkedHashMap<>(file.tensors());
    weights.remove(CODES);
    return weights;
  }

  /** The codes of all batches, one batch after the other. */
  public static int[] codes(Safetensors file, PriorCase test) throws MalformedFileException {
    Grid grid = test.config().grid();
    long count = (long) test.batch() * StepCase.BATCHES;
    return file.get(CODES, ElementType.I32, count, grid.rows(), grid.columns()).toInts();
  }
}
