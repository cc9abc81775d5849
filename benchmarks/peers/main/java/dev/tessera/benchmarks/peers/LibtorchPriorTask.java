package dev.tessera.benchmarks.peers;

import static org.bytedeco.pytorch.global.torch.clip_grad_norm_;
import static org.bytedeco.pytorch.global.torch.cross_entropy_loss;

import dev.tessera.benchmarks.harness.Task;
import dev.tessera.benchmarks.harness.Trial;
import dev.tessera.benchmarks.train.PriorCase;
import dev.tessera.benchmarks.train.PriorInputs;
import dev.tessera.benchmarks.train.PriorOutputs;
import dev.tessera.benchmarks.train.StepCase;
import dev.tessera.benchmarks.train.StepOutputs;
import dev.tessera.io.HostArray;
import dev.tessera.io.Safetensors;
import dev.tessera.prior.PriorConfig.Training;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.AdamW;
import org.bytedeco.pytorch.AdamWOptions;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.TensorVector;

/** A prior's training step in libtorch, with autograd and its own AdamW. */
final class LibtorchPriorTask implements Task {
  private static final int TRIAL_ROUNDS = 3;
  private static final int TRIAL_STEPS = 3;

  private final Training training;
  private final String form;
  private final Map<String, Tensor> parameters = new LinkedHashMap<>();
  private final List<Tensor> targets = new ArrayList<>(); // [N H W] of each batch
  private final TorchPrior prior;
  private final TensorVector all;
  private final List<AdamW> optimizers = new ArrayList<>();
  private int next; // batch of the next step

  private LibtorchPriorTask(PriorCase test, Path inputs, TorchPrior.Maker maker, String form)
      throws IOException {
    this.training = test.config().training();
    this.form = form;
    List<int[]> batches = new ArrayList<>();
    try (Arena arena = Arena.ofConfined()) {
      Safetensors file = Safetensors.read(inputs, arena);
      PriorInputs.weights(file)
          .forEach(
              (name, array) ->
                  parameters.put(name, TorchArrays.plain(array).set_requires_grad(true)));
      int[] codes = PriorInputs.codes(file, test);
      int size = codes.length / StepCase.BATCHES;
      for (int i = 0; i < StepCase.BATCHES; i++) {
        int[] batch = Arrays.copyOfRange(codes, i * size, (i + 1) * size);
        batches.add(batch);
        targets.add(TorchBags.longs(Arrays.stream(batch).asLongStream().toArray()));
      }
    }
    this.prior = maker.of(parameters, batches);
    this.all = vector(parameters.values().stream().toList());
    // The binding cannot make groups of parameters: an optimiser for each decay.
    double decay = training.weightDecay();
    if (decay == 0) {
      optimizers.add(optimizer(all, 0));
    } else {
      optimizers.add(
          optimizer(vector(parameters.values().stream().filter(p -> p.dim() > 1).toList()), decay));
      optimizers.add(
          optimizer(vector(parameters.values().stream().filter(p -> p.dim() < 2).toList()), 0));
    }
  }

  private static TensorVector vector(List<Tensor> tensors) {
    return new TensorVector(tensors.toArray(new Tensor[0]));
  }

  private AdamW optimizer(TensorVector which, double decay) {
    AdamWOptions options = new AdamWOptions(training.learningRate());
    options.eps().put(StepCase.ADAM_EPSILON);
    options.weight_decay().put(decay);
    return new AdamW(which, options);
  }

  /** Opens the task in the form that is fastest here: all are tried, in alternation. */
  static LibtorchPriorTask fastest(PriorCase test, Path inputs) throws IOException {
    List<TorchPrior.Form> forms = TorchPrior.forms(test);
    List<LibtorchPriorTask> tasks = new ArrayList<>();
    for (TorchPrior.Form form : forms) {
      tasks.add(new LibtorchPriorTask(test, inputs, form.maker(), ""));
    }
    double[] least = Trial.leastMillis(tasks, TRIAL_ROUNDS, TRIAL_STEPS);
    tasks.forEach(LibtorchPriorTask::close);
    int best = 0;
    StringBuilder tried = new StringBuilder();
    for (int i = 0; i < least.length; i++) {
      best = least[i] < least[best] ? i : best;
      tried.append(i == 0 ? "" : "; ").append(forms.get(i).name());
      tried.append(String.format(Locale.ROOT, " %.1f ms", least[i]));
    }
    TorchPrior.Form chosen = forms.get(best);
    String form = chosen.name() + " (tried: " + tried + "), torch::optim::AdamW";
    return new LibtorchPriorTask(test, inputs, chosen.maker(), form);
  }

  @Override
  public String form() {
    return form;
  }

  @Override
  public void step() {
    train();
  }

  private double train() {
    try (PointerScope _ = new PointerScope()) {
      Tensor loss = forwardAndBackward(next);
      next = (next + 1) % targets.size();
      if (training.clipNorm() > 0) {
        clip_grad_norm_(all, training.clipNorm());
      }
      optimizers.forEach(AdamW::step);
      return loss.item_float();
    }
  }

  private Tensor forwardAndBackward(int batch) {
    optimizers.forEach(AdamW::zero_grad);
    Tensor loss = cross_entropy_loss(prior.logits(batch), targets.get(batch));
    loss.backward();
    return loss;
  }

  @Override
  public Map<String, HostArray> outputs() {
    Map<String, HostArray> outputs = new LinkedHashMap<>();
    try (PointerScope _ = new PointerScope()) {
      Tensor logits = prior.logits(0).detach();
      outputs.put(PriorOutputs.LOGITS, TorchArrays.array(logits.reshape(-1)));
      forwardAndBackward(0);
      parameters.forEach(
          (name, p) -> outputs.put(StepOutputs.GRADIENT + name, TorchArrays.array(p.grad())));
    }
    StepOutputs.addLosses(outputs, this::train);
    return outputs;
  }

  @Override
  public void close() {
    optimizers.forEach(AdamW::close);
    parameters.values().forEach(Tensor::close);
    targets.forEach(Tensor::close);
  }
}
