package dev.tessera.nn;

import dev.tessera.data.Philox;
import dev.tessera.device.DataType;
import dev.tessera.device.Device;
import dev.tessera.device.Memory;
import dev.tessera.device.Stream;
import dev.tessera.device.Tensor;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.SequencedMap;

/**
 * The parameters of a model, with the memory that they live in: one block for all values and
 * gradients.
 */
public final class ParameterSet implements AutoCloseable {
  private static final long ALIGNMENT = 64;

  private final SequencedMap<String, Parameter> parameters;
  private final Memory memory;

  /** Gives memory to all parameters, zeroed: values, then gradients. */
  public ParameterSet(Stream stream, SequencedMap<String, Parameter> parameters) {
    this.parameters = new LinkedHashMap<>(parameters);
    long bytes = 0;
    for (Parameter p : parameters.values()) {
      bytes += roundUp(p.shape().elements() * DataType.F32.bytes());
    }
    Device device = stream.device();
    this.memory = new Memory(device, 2 * bytes);
    long offset = 0;
    for (Parameter p : parameters.values()) {
      Tensor value = memory.tensor(offset, p.shape(), DataType.F32);
      Tensor gradient = memory.tensor(bytes + offset, p.shape(), DataType.F32);
      stream.fill(value, 0);
      stream.fill(gradient, 0);
      p.bind(value, gradient);
      offset += roundUp(p.shape().elements() * DataType.F32.bytes());
    }
  }

  /** Draws the first values from {@code seed}, each parameter from a random stream of its own. */
  public void initialize(Stream stream, long seed) {
    int index = 0;
    for (Parameter p : parameters.values()) {
      float[] values = new float[Math.toIntExact(p.shape().elements())];
      p.initializer().fill(values, new Philox(seed, RandomStreams.parameter(index++), 0));
      p.value().copyFrom(stream, values);
    }
  }

  /** All parameters by name, in their fixed order. */
  public Map<String, Parameter> byName() {
    return parameters;
  }

  /** Number of trainable values. */
  public long count() {
    return parameters.values().stream().mapToLong(p -> p.shape().elements()).sum();
  }

  @Override
  public void close() {
    memory.close();
  }

  private static long roundUp(long bytes) {
    return (bytes + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
  }
}
