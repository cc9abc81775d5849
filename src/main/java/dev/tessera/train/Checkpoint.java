package dev.tessera.train;

import dev.tessera.device.DataType;
import dev.tessera.device.Shape;
import dev.tessera.device.Stream;
import dev.tessera.device.Tensor;
import dev.tessera.io.ElementType;
import dev.tessera.io.HostArray;
import dev.tessera.io.MalformedFileException;
import dev.tessera.io.Safetensors;
import dev.tessera.model.VqVae;
import dev.tessera.nn.Parameter;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.TreeMap;

/**
 * {@code model.safetensors}: weights under PyTorch's names and in its layout (OIHW; in memory they are
 * OHWI), the quantiser's state, the optimiser's moments, and how far training was. What is read back
 * continues bit for bit.
 */
public final class Checkpoint {
  private static final String QUANTIZER = "quantizer.";
  private static final String OPTIMIZER = "optimizer.";
  private static final String PROGRESS = "progress.";
  private static final String STEP = "step";
  private static final String QUANTIZER_STEP = "quantizer_step";

  private Checkpoint() {}

  /** Writes everything that a resumed run needs, atomically. */
  public static void write(
      Path file, Stream stream, VqVae model, Adam adam, RunningMetrics progress)
      throws IOException {
    Map<String, HostArray> tensors = new TreeMap<>();
    forEachTensor(
        model, adam, stream, (name, tensor) -> tensors.put(name, toFile(stream, tensor)));
    progress.state().forEach((name, array) -> tensors.put(PROGRESS + name, array));
    Map<String, String> metadata = new LinkedHashMap<>();
    metadata.put("format", "tessera-vqvae-1");
    metadata.put(STEP, Long.toString(adam.step()));
    metadata.put(QUANTIZER_STEP, Long.toString(model.quantizer().step()));
    Safetensors.write(file, tensors, metadata);
  }

  /** Restores model, optimiser and progress. */
  public static void restore(
      Path file, Stream stream, VqVae model, Adam adam, RunningMetrics progress)
      throws IOException {
    try (Arena arena = Arena.ofConfined()) {
      Safetensors saved = Safetensors.read(file, arena);
      Restorer restorer = new Restorer(saved, stream);
      forEachTensor(model, adam, stream, restorer::restore);
      restorer.rethrow();
      adam.restored(number(file, saved, STEP));
      model.quantizer().restored(stream, number(file, saved, QUANTIZER_STEP));
      progress.restore(saved, PROGRESS);
    }
  }

  /** Restores the model alone, for inference; the rest of the file is passed over. */
  public static void restore(Path file, Stream stream, VqVae model) throws IOException {
    try (Arena arena = Arena.ofConfined()) {
      Safetensors saved = Safetensors.read(file, arena);
      Restorer restorer = new Restorer(saved, stream);
      forEachModelTensor(model, stream, restorer::restore);
      restorer.rethrow();
      model.quantizer().restored(stream, number(file, saved, QUANTIZER_STEP));
    }
  }

  private interface Visitor {
    void visit(String name, Tensor tensor);
  }

  private static void forEachTensor(VqVae model, Adam adam, Stream stream, Visitor visitor) {
    forEachModelTensor(model, stream, visitor);
    adam.state().forEach((name, tensor) -> visitor.visit(OPTIMIZER + name, tensor));
  }

  private static void forEachModelTensor(VqVae model, Stream stream, Visitor visitor) {
    for (Map.Entry<String, Parameter> p : model.parameters().byName().entrySet()) {
      visitor.visit(p.getKey(), p.getValue().value());
    }
    model
        .quantizer()
        .state(stream)
        .forEach((name, tensor) -> visitor.visit(QUANTIZER + name, tensor));
  }

  /** Fills tensors from a file; remembers the first failure, since visitors cannot throw it. */
  private static final class Restorer {
    private final Safetensors saved;
    private final Stream stream;
    private @org.jspecify.annotations.Nullable MalformedFileException failure;

    Restorer(Safetensors saved, Stream stream) {
      this.saved = saved;
      this.stream = stream;
    }

    void restore(String name, Tensor tensor) {
      if (failure != null) {
        return;
      }
      try {
        HostArray array = saved.get(name, ElementType.F32, fileShape(tensor.shape()));
        tensor.copyFrom(stream, toMemory(array, tensor.shape()));
      } catch (MalformedFileException e) {
        failure = e;
      }
    }

    void rethrow() throws MalformedFileException {
      if (failure != null) {
        throw failure;
      }
    }
  }

  private static long number(Path file, Safetensors saved, String key)
      throws MalformedFileException {
    String text = saved.metadata().get(key);
    try {
      long value = text == null ? -1 : Long.parseLong(text);
      if (value >= 0) {
        return value;
      }
    } catch (NumberFormatException e) {
      // reported below
    }
    throw new MalformedFileException(
        file, "metadata '" + key + "' is " + text + " and should be a number of steps");
  }

  // Weights of four dimensions are [O,H,W,I] in memory and [O,I,H,W] in files; others are the same.
  private static long[] fileShape(Shape s) {
    if (s.rank() == 4) {
      return new long[] {s.dim(0), s.dim(3), s.dim(1), s.dim(2)};
    }
    long[] dims = new long[s.rank()];
    for (int i = 0; i < dims.length; i++) {
      dims[i] = s.dim(i);
    }
    return dims;
  }

  private static HostArray toFile(Stream stream, Tensor tensor) {
    if (tensor.type() != DataType.F32) {
      throw new AssertionError("checkpoints hold f32, not " + tensor);
    }
    float[] values = tensor.toFloats(stream);
    Shape s = tensor.shape();
    if (s.rank() == 4) {
      values = permuted(values, (int) s.dim(0), (int) (s.dim(1) * s.dim(2)), (int) s.dim(3));
    }
    return HostArray.of(values, fileShape(s));
  }

  private static MemorySegment toMemory(HostArray array, Shape s) {
    if (s.rank() != 4) {
      return array.data();
    }
    return MemorySegment.ofArray(
        permuted(
            array.toFloats(), (int) s.dim(0), (int) s.dim(3), (int) (s.dim(1) * s.dim(2))));
  }

  // [outer,a,b] to [outer,b,a].
  private static float[] permuted(float[] in, int outer, int a, int b) {
    float[] out = new float[in.length];
    for (int o = 0; o < outer; o++) {
      int base = o * a * b;
      for (int i = 0; i < a; i++) {
        for (int j = 0; j < b; j++) {
          out[base + j * a + i] = in[base + i * b + j];
        }
      }
    }
    return out;
  }
}
