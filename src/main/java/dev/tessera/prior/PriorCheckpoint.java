package dev.tessera.prior;

import dev.tessera.device.Stream;
import dev.tessera.device.Tensor;
import dev.tessera.io.ElementType;
import dev.tessera.io.HostArray;
import dev.tessera.io.Safetensors;
import dev.tessera.model.ModelFile;
import dev.tessera.train.Adam;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.TreeMap;

/**
 * A prior on disk: weights under their names (convolutions OIHW, as PyTorch has them; masked
 * kernels without what the mask hides), and in {@code checkpoint.safetensors} also the optimiser's
 * moments and how far training was, so that it goes on bit for bit.
 */
public final class PriorCheckpoint {
  private static final String FORMAT = "tessera-prior-1";
  private static final String OPTIMIZER = "optimizer.";
  private static final String PROGRESS = "progress";
  private static final String STEP = "step";

  private PriorCheckpoint() {}

  /** Writes the weights alone. */
  static void writeWeights(Path file, Stream stream, Prior prior, long step) throws IOException {
    Map<String, HostArray> tensors = new TreeMap<>();
    ModelFile.collect(stream, weights(prior), tensors);
    Safetensors.write(file, tensors, Map.of("format", FORMAT, STEP, Long.toString(step)));
  }

  /** Restores the weights; what else the file holds is passed over. */
  public static void restoreWeights(Path file, Stream stream, Prior prior) throws IOException {
    try (Arena arena = Arena.ofConfined()) {
      ModelFile.restore(Safetensors.read(file, arena), stream, weights(prior));
    }
  }

  static void write(Path file, Stream stream, Prior prior, Adam adam, PriorProgress progress)
      throws IOException {
    Map<String, HostArray> tensors = new TreeMap<>();
    ModelFile.collect(stream, weights(prior), tensors);
    ModelFile.collect(stream, moments(adam), tensors);
    double[] values = progress.toArray();
    tensors.put(PROGRESS, HostArray.of(values, values.length));
    Safetensors.write(file, tensors, Map.of("format", FORMAT, STEP, Long.toString(adam.step())));
  }

  static void restore(Path file, Stream stream, Prior prior, Adam adam, PriorProgress progress)
      throws IOException {
    try (Arena arena = Arena.ofConfined()) {
      Safetensors saved = Safetensors.read(file, arena);
      ModelFile.restore(saved, stream, weights(prior));
      ModelFile.restore(saved, stream, moments(adam));
      adam.restored(ModelFile.number(file, saved, STEP));
      progress.restore(saved.get(PROGRESS, ElementType.F64, PriorProgress.SIZE).toDoubles());
    }
  }

  private static Map<String, Tensor> weights(Prior prior) {
    Map<String, Tensor> named = new LinkedHashMap<>();
    prior.parameters().byName().forEach((name, p) -> named.put(name, p.value()));
    return named;
  }

  private static Map<String, Tensor> moments(Adam adam) {
    Map<String, Tensor> named = new LinkedHashMap<>();
    adam.state().forEach((name, tensor) -> named.put(OPTIMIZER + name, tensor));
    return named;
  }
}
