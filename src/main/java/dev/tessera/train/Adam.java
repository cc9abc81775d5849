package dev.tessera.train;

import dev.tessera.bindings.tessera_h;
import dev.tessera.bindings.ts_adam_params;
import dev.tessera.bindings.ts_tensor;
import dev.tessera.device.DataType;
import dev.tessera.device.Memory;
import dev.tessera.device.NativeCall;
import dev.tessera.device.Shape;
import dev.tessera.device.Stream;
import dev.tessera.device.Tensor;
import dev.tessera.nn.Parameter;
import dev.tessera.nn.ParameterSet;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.SequencedMap;

/**
 * Adam (Kingma and Ba 2015) over all parameters of a model, with beta 0.9 and 0.999; with a weight
 * decay AdamW (Loshchilov and Hutter 2019), whose decay is for parameters of two dimensions and
 * more: not for biases and norms.
 */
public final class Adam implements AutoCloseable {
  private static final double BETA1 = 0.9;
  private static final double BETA2 = 0.999;

  private final List<Tensor> gradients = new ArrayList<>();
  private final MemorySegment gradientArray; // descriptors for the native call
  private final SequencedMap<String, Tensor> state = new LinkedHashMap<>();
  private final Memory memory;
  private final Tensor norm; // of the gradients, f64
  private final Group decayed;
  private final Group others;
  private long step;

  /** Parameters with the same decay. */
  private static final class Group {
    private final List<Tensor> values = new ArrayList<>();
    private final List<Tensor> gradients = new ArrayList<>();
    private final List<Tensor> firstMoments = new ArrayList<>();
    private final List<Tensor> secondMoments = new ArrayList<>();
    private final MemorySegment params = ts_adam_params.allocate(Arena.ofAuto());
    private final MemorySegment[] arrays = new MemorySegment[4];

    Group(int most, double learningRate, double epsilon, boolean epsilonHat, double weightDecay) {
      ts_adam_params.struct_size(params, (int) ts_adam_params.sizeof());
      ts_adam_params.epsilon_hat(params, epsilonHat ? 1 : 0);
      ts_adam_params.learning_rate(params, learningRate);
      ts_adam_params.beta1(params, BETA1);
      ts_adam_params.beta2(params, BETA2);
      ts_adam_params.epsilon(params, epsilon);
      ts_adam_params.weight_decay(params, weightDecay);
      for (int i = 0; i < arrays.length; i++) {
        arrays[i] = ts_tensor.allocateArray(Math.max(1, most), Arena.ofAuto());
      }
    }

    void add(Parameter p, Tensor first, Tensor second) {
      values.add(p.value());
      gradients.add(p.gradient());
      firstMoments.add(first);
      secondMoments.add(second);
    }

    void step(Stream stream, long number) {
      ts_adam_params.step(params, number);
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
    }
  }

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
    this(stream, parameters, learningRate, epsilon, epsilonHat, 0);
  }

  /**
   * The same with a decoupled weight decay.
   *
   * @param weightDecay at least 0: each step takes learningRate times it of a weight from it
   */
  public Adam(
      Stream stream,
      ParameterSet parameters,
      double learningRate,
      double epsilon,
      boolean epsilonHat,
      double weightDecay) {
    int count = parameters.byName().size();
    this.decayed = new Group(count, learningRate, epsilon, epsilonHat, weightDecay);
    this.others = new Group(count, learningRate, epsilon, epsilonHat, 0);
    long bytes = 0;
    for (Parameter p : parameters.byName().values()) {
      bytes += aligned(p);
    }
    this.memory = new Memory(stream.device(), 2 * bytes + DataType.F64.bytes());
    this.norm = memory.tensor(2 * bytes, Shape.of(1), DataType.F64);
    long offset = 0;
    for (Map.Entry<String, Parameter> entry : parameters.byName().entrySet()) {
      Parameter p = entry.getValue();
      Tensor first = memory.tensor(offset, p.shape(), DataType.F32);
      Tensor second = memory.tensor(bytes + offset, p.shape(), DataType.F32);
      stream.fill(first, 0);
      stream.fill(second, 0);
      gradients.add(p.gradient());
      (weightDecay > 0 && p.shape().rank() > 1 ? decayed : others).add(p, first, second);
      state.put("m." + entry.getKey(), first);
      state.put("v." + entry.getKey(), second);
      offset += aligned(p);
    }
    this.gradientArray = ts_tensor.allocateArray(Math.max(1, count), Arena.ofAuto());
  }

  /**
   * Scales all gradients down, if their global norm is larger than {@code most} (Pascanu, Mikolov
   * and Bengio 2013, algorithm 1). Nothing waits for the device.
   *
   * @param most greater than 0
   * @return the norm before, f64; valid until the next call
   */
  public Tensor clipGradients(Stream stream, double most) {
    try (NativeCall call = stream.call()) {
      call.check(
          tessera_h.ts_clip_gradients(
              call.stream(),
              most,
              gradients.size(),
              call.args(gradients, gradientArray),
              call.arg(norm)));
    }
    return norm;
  }

  /** Moves all parameters along their gradients. */
  public void step(Stream stream) {
    decayed.step(stream, step + 1);
    others.step(stream, step + 1);
    step++;
  }

  /** Sets the learning rate of the steps that follow, at least 0. */
  public void learningRate(double rate) {
    ts_adam_params.learning_rate(decayed.params, rate);
    ts_adam_params.learning_rate(others.params, rate);
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
    return Collections.unmodifiableSequencedMap(state);
  }

  @Override
  public void close() {
    memory.close();
  }

  private static long aligned(Parameter p) {
    return (p.shape().elements() * DataType.F32.bytes() + 63) / 64 * 64;
  }
}
