package dev.tessera.train;

import dev.tessera.bindings.tessera_h;
import dev.tessera.bindings.ts_adam_params;
import dev.tessera.bindings.ts_tensor;
import dev.tessera.device.DataType;
import dev.tessera.device.Memory;
import dev.tessera.device.NativeCall;
import dev.tessera.device.Stream;
import dev.tessera.device.Tensor;
import dev.tessera.nn.Parameter;
import dev.tessera.nn.ParameterSet;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.SequencedMap;

/** Adam (Kingma and Ba 2015) over all parameters of a model, with beta 0.9 and 0.999. */
public final class Adam implements AutoCloseable {
  private static final double BETA1 = 0.9;
  private static final double BETA2 = 0.999;

  private final List<String> names;
  private final List<Tensor> values = new ArrayList<>();
  private final List<Tensor> gradients = new ArrayList<>();
  private final List<Tensor> firstMoments = new ArrayList<>();
  private final List<Tensor> secondMoments = new ArrayList<>();
  private final Memory memory;
  private final MemorySegment params;
  private final MemorySegment[] arrays = new MemorySegment[4]; // descriptors for the native call
  private long step;

  /**
   * An optimiser whose moments are zero.
   *
   * @param learningRate at least 0
   * @param epsilon greater than 0: 1e-8 in the paper, PyTorch and Sonnet, 1e-7 in Keras
   * @param epsilonHat whether epsilon stands beside the uncorrected root of the second moment, as
   *     in Keras and in section 2 of the paper
   */
  public Adam(
      Stream stream,
      ParameterSet parameters,
      double learningRate,
      double epsilon,
      boolean epsilonHat) {
    this.names = List.copyOf(parameters.byName().keySet());
    long bytes = 0;
    for (Parameter p : parameters.byName().values()) {
      bytes += aligned(p);
    }
    this.memory = new Memory(stream.device(), 2 * bytes);
    long offset = 0;
    for (Parameter p : parameters.byName().values()) {
      values.add(p.value());
      gradients.add(p.gradient());
      firstMoments.add(memory.tensor(offset, p.shape(), DataType.F32));
      secondMoments.add(memory.tensor(bytes + offset, p.shape(), DataType.F32));
      stream.fill(firstMoments.getLast(), 0);
      stream.fill(secondMoments.getLast(), 0);
      offset += aligned(p);
    }
    this.params = ts_adam_params.allocate(Arena.ofAuto());
    ts_adam_params.struct_size(params, (int) ts_adam_params.sizeof());
    ts_adam_params.epsilon_hat(params, epsilonHat ? 1 : 0);
    ts_adam_params.learning_rate(params, learningRate);
    ts_adam_params.beta1(params, BETA1);
    ts_adam_params.beta2(params, BETA2);
    ts_adam_params.epsilon(params, epsilon);
    ts_adam_params.weight_decay(params, 0);
    for (int i = 0; i < arrays.length; i++) {
      arrays[i] = ts_tensor.allocateArray(Math.max(1, values.size()), Arena.ofAuto());
    }
  }

  /** Moves all parameters along their gradients. */
  public void step(Stream stream) {
    ts_adam_params.step(params, step + 1);
    try (NativeCall call = stream.call()) {
      call.check(
          tessera_h.ts_adam_step(
              call.stream(),
              params,
              values.size(),
              call.args(values, arrays[0]),
              call.args(gradients, arrays[1]),
              call.args(firstMoments, arrays[2]),
              call.args(secondMoments, arrays[3])));
    }
    step++;
  }

  /** Sets the learning rate of the steps that follow, at least 0. */
  public void learningRate(double rate) {
    ts_adam_params.learning_rate(params, rate);
  }

  /** Number of steps so far. */
  public long step() {
    return step;
  }

  /** Continues as after {@code restoredStep} steps; the tensors of {@link #state} were filled. */
  public void restored(long restoredStep) {
    step = restoredStep;
  }

  /** The moments, by name: {@code m.<parameter>} and {@code v.<parameter>}. */
  public SequencedMap<String, Tensor> state() {
    SequencedMap<String, Tensor> state = new LinkedHashMap<>();
    for (int i = 0; i < names.size(); i++) {
      state.put("m." + names.get(i), firstMoments.get(i));
      state.put("v." + names.get(i), secondMoments.get(i));
    }
    return state;
  }

  @Override
  public void close() {
    memory.close();
  }

  private static long aligned(Parameter p) {
    return (p.shape().elements() * DataType.F32.bytes() + 63) / 64 * 64;
  }
}
