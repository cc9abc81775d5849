package dev.tessera.model;

import dev.tessera.device.Shape;
import dev.tessera.device.Stream;
import dev.tessera.device.Tensor;
import dev.tessera.io.ElementType;
import dev.tessera.io.HostArray;
import dev.tessera.io.MalformedFileException;
import dev.tessera.io.Safetensors;
import dev.tessera.nn.Parameter;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.SequencedMap;

/**
 * How a model lies in {@code model.safetensors}: weights under PyTorch's names and in its layout,
 * the codes and their averages as {@code quantizer.*}. Weights of four dimensions are OIHW in files
 * (transposed ones IOHW) and OHWI in memory.
 */
public final class ModelFile {
  private static final String QUANTIZER = "quantizer.";
  private static final String QUANTIZER_STEP = "quantizer_step";

  private ModelFile() {}

  /** Restores a model for inference; what else the file holds is passed over. */
  public static void restore(Path file, Stream stream, VqVae model) throws IOException {
    try (Arena arena = Arena.ofConfined()) {
      restore(file, Safetensors.read(file, arena), stream, model);
    }
  }

  /** Restores a model from a file that was read. */
  public static void restore(Path file, Safetensors saved, Stream stream, VqVae model)
      throws IOException {
    restore(saved, stream, tensors(stream, model));
    model.quantizer().restored(stream, number(file, saved, QUANTIZER_STEP));
  }

  /** Adds a model's tensors and metadata to what is to be written. */
  public static void collect(
      Stream stream, VqVae model, Map<String, HostArray> tensors, Map<String, String> metadata) {
    collect(stream, tensors(stream, model), tensors);
    metadata.put(QUANTIZER_STEP, Long.toString(model.quantizer().step()));
  }

  /** Adds f32 tensors in the layout of files. */
  public static void collect(
      Stream stream, Map<String, Tensor> from, Map<String, HostArray> tensors) {
    from.forEach((name, tensor) -> tensors.put(name, toFile(stream, tensor)));
  }

  /** Fills f32 tensors from a file that was read. */
  public static void restore(Safetensors saved, Stream stream, Map<String, Tensor> tensors)
      throws MalformedFileException {
    for (Map.Entry<String, Tensor> entry : tensors.entrySet()) {
      Tensor tensor = entry.getValue();
      HostArray array = saved.get(entry.getKey(), ElementType.F32, fileShape(tensor.shape()));
      tensor.copyFrom(stream, toMemory(array, tensor.shape()));
    }
  }

  /** A count in the file's metadata. */
  public static long number(Path file, Safetensors saved, String key)
      throws MalformedFileException {
    String text = saved.metadata().get(key);
    try {
      long value = text == null ? -1 : Long.parseLong(text);
      if (value >= 0) {
        return value;
      }
    } catch (NumberFormatException e) {
      // reported below, like a number that is missing or negative
    }
    throw new MalformedFileException(
        file, "metadata '" + key + "' is " + text + " and should be a number of steps");
  }

  private static SequencedMap<String, Tensor> tensors(Stream stream, VqVae model) {
    SequencedMap<String, Tensor> all = new LinkedHashMap<>();
    for (Map.Entry<String, Parameter> p : model.parameters().byName().entrySet()) {
      all.put(p.getKey(), p.getValue().value());
    }
    model.quantizer().state(stream).forEach((name, tensor) -> all.put(QUANTIZER + name, tensor));
    return all;
  }

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
    float[] values = tensor.toFloats(stream);
    Shape s = tensor.shape();
    if (s.rank() == 4) {
      values = swapInner(values, (int) (s.dim(1) * s.dim(2)), (int) s.dim(3));
    }
    return HostArray.of(values, fileShape(s));
  }

  private static MemorySegment toMemory(HostArray array, Shape s) {
    if (s.rank() != 4) {
      return array.data();
    }
    float[] values = array.toFloats();
    return MemorySegment.ofArray(swapInner(values, (int) s.dim(3), (int) (s.dim(1) * s.dim(2))));
  }

  // [outer,a,b] to [outer,b,a].
  private static float[] swapInner(float[] in, int a, int b) {
    float[] out = new float[in.length];
    for (int base = 0; base < in.length; base += a * b) {
      for (int i = 0; i < a; i++) {
        for (int j = 0; j < b; j++) {
          out[base + j * a + i] = in[base + i * b + j];
        }
      }
    }
    return out;
  }
}
