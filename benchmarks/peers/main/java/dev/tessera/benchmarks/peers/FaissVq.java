package dev.tessera.benchmarks.peers;

import dev.tessera.benchmarks.harness.LoadedLibraries;
import dev.tessera.benchmarks.harness.Task;
import dev.tessera.benchmarks.harness.TaskFactory;
import dev.tessera.benchmarks.harness.TaskServer;
import dev.tessera.benchmarks.vq.PeerTasks;
import dev.tessera.benchmarks.vq.VqInputs;
import java.io.IOException;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.SequencedMap;

/** The process that searches through FAISS' {@code IndexFlatL2}. */
public final class FaissVq implements TaskFactory {
  private final FaissLibrary library =
      FaissLibrary.open(Path.of(System.getProperty(PeerTasks.FAISS_PROPERTY)));

  private FaissVq() {}

  /** Serves the parent. */
  public static void main(String[] args) throws IOException {
    TaskServer.serve(new FaissVq());
  }

  @Override
  public Task open(String name, Path inputs, int threads) throws IOException {
    if (!name.equals(PeerTasks.FLAT)) {
      throw new IllegalArgumentException("no task " + name);
    }
    library.threads(threads);
    return new FaissSearchTask(library, VqInputs.read(inputs));
  }

  @Override
  public SequencedMap<String, String> describe() {
    SequencedMap<String, String> facts = new LinkedHashMap<>();
    facts.put("version", library.version());
    facts.put("instruction_sets", library.options());
    facts.put(PeerTasks.BLAS, String.join(", ", LoadedLibraries.named("libopenblas")));
    facts.put("openmp", LoadedLibraries.openMp());
    return facts;
  }
}
