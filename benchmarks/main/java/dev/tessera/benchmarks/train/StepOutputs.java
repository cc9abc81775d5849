package dev.tessera.benchmarks.train;

import dev.tessera.device.Stream;
import dev.tessera.device.Tensor;
import dev.tessera.io.HostArray;
import dev.tessera.model.ModelFile;
import dev.tessera.nn.ParameterSet;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.function.DoubleSupplier;

/**
 * What both sides of every training step compute before they are timed, from the first weights and
 * the first batch, beside what is said by {@link TrainOutputs} or {@link PriorOutputs}.
 */
public final class StepOutputs {
  /** Prefix of the gradient of the loss by a parameter, before the parameter's name. */
  public static final String GRADIENT = "gradient.";

  /** The losses of {@link #CHECKED_STEPS} steps: they agree only if the updated weights do. */
  public static final String LOSSES = "losses";

  /** Steps whose losses must agree. */
  public static final int CHECKED_STEPS = 10;

  private StepOutputs() {}

  /** Takes the steps whose losses must agree; {@code step} takes one and gives its loss. */
  public static void addLosses(Map<String, HostArray> outputs, DoubleSupplier step) {
    double[] losses = new double[CHECKED_STEPS];
    for (int i = 0; i < losses.length; i++) {
      losses[i] = step.getAsDouble();
    }
    outputs.put(LOSSES, HostArray.of(losses, losses.length));
  }

  /** The gradients of the last step, as {@link ModelFile} lays out the parameters. */
  static void addGradients(Map<String, HostArray> outputs, Stream stream, ParameterSet parameters) {
    Map<String, Tensor> gradients = new LinkedHashMap<>();
    parameters.byName().forEach((name, p) -> gradients.put(name, p.gradient()));
    Map<String, HostArray> named = new LinkedHashMap<>();
    ModelFile.collect(stream, gradients, named);
    named.forEach((name, array) -> outputs.put(GRADIENT + name, array));
  }
}
