package dev.tessera.benchmarks.peers;

import dev.tessera.benchmarks.harness.Task;
import dev.tessera.benchmarks.harness.TaskFactory;
import dev.tessera.benchmarks.harness.TaskServer;
import dev.tessera.benchmarks.vq.PeerTasks;
import dev.tessera.benchmarks.vq.VqInputs;
import java.io.IOException;
import java.nio.file.Path;
import java.util.SequencedMap;
import org.bytedeco.pytorch.global.torch;

/** The process that does libtorch's searches and steps of a quantiser. */
public final class LibtorchVq implements TaskFactory {
  private LibtorchVq() {}

  /** Serves the parent. */
  public static void main(String[] args) throws IOException {
    TaskServer.serve(new LibtorchVq());
  }

  @Override
  public Task open(String name, Path inputs, int threads) throws IOException {
    torch.set_num_threads(threads);
    VqInputs read = VqInputs.read(inputs);
    return switch (name) {
      case PeerTasks.FORMULA -> TorchSearchTask.formula(read);
      case PeerTasks.CDIST -> TorchSearchTask.cdist(read);
      case PeerTasks.BLOCKED -> TorchSearchTask.blocked(read);
      case PeerTasks.LUCIDRAINS -> new LucidrainsStepTask(read);
      case PeerTasks.INDEXED -> new IndexedStepTask(read);
      default -> throw new IllegalArgumentException("no task " + name);
    };
  }

  @Override
  public SequencedMap<String, String> describe() {
    return LibtorchFacts.describe();
  }
}
