package dev.tessera.benchmarks.peers;

import dev.tessera.benchmarks.harness.Task;
import dev.tessera.benchmarks.harness.TaskFactory;
import dev.tessera.benchmarks.harness.TaskServer;
import dev.tessera.benchmarks.train.PriorCase;
import dev.tessera.benchmarks.train.StepCase;
import dev.tessera.benchmarks.train.TrainCase;
import java.io.IOException;
import java.nio.file.Path;
import java.util.SequencedMap;
import org.bytedeco.pytorch.global.torch;

/** The process that does libtorch's training steps. */
public final class LibtorchTraining implements TaskFactory {
  private LibtorchTraining() {}

  /** Serves the parent. */
  public static void main(String[] args) throws IOException {
    TaskServer.serve(new LibtorchTraining());
  }

  @Override
  public Task open(String name, Path inputs, int threads) throws IOException {
    torch.set_num_threads(threads);
    return switch (StepCase.named(name)) {
      case TrainCase test -> LibtorchTrainTask.fastest(test, inputs);
      case PriorCase test -> LibtorchPriorTask.fastest(test, inputs);
    };
  }

  @Override
  public SequencedMap<String, String> describe() {
    return LibtorchFacts.describe();
  }
}
