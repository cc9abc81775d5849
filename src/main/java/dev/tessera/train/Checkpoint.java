package dev.tessera.train;

import dev.tessera.device.Stream;
import dev.tessera.device.Tensor;
import dev.tessera.io.HostArray;
import dev.tessera.io.Safetensors;
import dev.tessera.model.ModelFile;
import dev.tessera.model.VqVae;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.TreeMap;

/**
 * {@code model.safetensors} of a run: the model as {@link ModelFile} lays it out, the optimiser's
 * moments as {@code optimizer.*}, and how far training was. What is read back continues bit for
 * bit.
 */
final class Checkpoint {
  private static final String OPTIMIZER = "optimizer.";
  private static final String PROGRESS = "progress.";
  private static final String STEP = "step";

  private Checkpoint() {}

  /** Writes everything that a resumed run needs, atomically. */
  static void write(Path file, Stream stream, VqVae model, Adam adam, RunningMetrics progress)
      throws IOException {
    Map<String, HostArray> tensors = new TreeMap<>();
    Map<String, String> metadata = new LinkedHashMap<>();
    metadata.put("format", "tessera-vqvae-1");
    ModelFile.collect(stream, model, tensors, metadata);
    ModelFile.collect(stream, moments(adam), tensors);
    metadata.put(STEP, Long.toString(adam.step()));
    progress.state().forEach((name, array) -> tensors.put(PROGRESS + name, array));
    Safetensors.write(file, tensors, metadata);
  }

  /** Restores model, optimiser and progress. */
  static void restore(Path file, Stream stream, VqVae model, Adam adam, RunningMetrics progress)
      throws IOException {
    try (Arena arena = Arena.ofConfined()) {
      Safetensors saved = Safetensors.read(file, arena);
      ModelFile.restore(file, saved, stream, model);
      ModelFile.restore(saved, stream, moments(adam));
      adam.restored(ModelFile.number(file, saved, STEP));
      progress.restore(saved, PROGRESS);
    }
  }

  private static Map<String, Tensor> moments(Adam adam) {
    Map<String, Tensor> named = new LinkedHashMap<>();
    adam.state().forEach((name, tensor) -> named.put(OPTIMIZER + name, tensor));
    return named;
  }
}
