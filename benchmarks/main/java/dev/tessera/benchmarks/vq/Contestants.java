package dev.tessera.benchmarks.vq;

import dev.tessera.benchmarks.harness.LibtorchSettings;
import dev.tessera.benchmarks.harness.PeersFolder;
import dev.tessera.benchmarks.harness.TaskProcess;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** Who takes part in a case on this machine: ours, the limits and Java's always; peers if built. */
public final class Contestants {
  private static final String OURS = "benchmarks/main/java/dev/tessera/benchmarks/vq/";
  private static final String PEERS = "benchmarks/peers/main/java/dev/tessera/benchmarks/peers/";
  private static final String PEER_CLASSES = "dev.tessera.benchmarks.peers.";

  private final String device;
  private final @Nullable PeersFolder peers;

  /**
   * For a device.
   *
   * @param device by name; other libraries work on the CPU only
   * @param peers where they were built, or null to do without
   */
  public Contestants(String device, @Nullable PeersFolder peers) {
    this.device = device;
    this.peers = device.equals("cpu") ? peers : null;
  }

  /** Those that can do a case, ours first. */
  public List<Contestant> of(VqCase test) throws IOException {
    List<Contestant> all = new ArrayList<>();
    if (test.work() == VqCase.Work.STEP) {
      all.add(ours("tessera", TesseraVq.STEP, "TesseraStepTask.java", true));
      if (peers != null) {
        all.add(
            libtorch(
                peers, "libtorch, lucidrains", PeerTasks.LUCIDRAINS, "LucidrainsStepTask.java"));
        all.add(
            fastLibtorch(peers, "libtorch, for speed", PeerTasks.INDEXED, "IndexedStepTask.java"));
      }
      return all;
    }
    all.add(ours("tessera", TesseraVq.ASSIGN, "TesseraAssignTask.java", true));
    if (!device.equals("cpu")) {
      return all;
    }
    all.add(ours("oneDNN sgemm alone", TesseraVq.SGEMM, "SgemmTask.java", false));
    if (test.threads() == 1) {
      all.add(javaVector());
    }
    if (peers != null) {
      all.add(libtorch(peers, "libtorch, formula", PeerTasks.FORMULA, "TorchSearchTask.java"));
      all.add(libtorch(peers, "libtorch, cdist", PeerTasks.CDIST, "TorchSearchTask.java"));
      all.add(fastLibtorch(peers, "libtorch, blocked", PeerTasks.BLOCKED, "TorchSearchTask.java"));
      Path faiss = peers.faiss();
      if (faiss != null) {
        all.add(faiss(peers, faiss, test.threads()));
      }
    }
    return all;
  }

  private Contestant ours(String name, String task, String source, boolean searches) {
    List<String> options = List.of("-D" + TesseraVq.DEVICE_PROPERTY + "=" + device);
    TaskProcess.Command command =
        new TaskProcess.Command(
            searches ? "tessera" : "onednn",
            classPath(),
            TesseraVq.class.getName(),
            options,
            Map.of());
    boolean counts = searches && device.equals("cpu");
    return new Contestant(name, task, command, OURS + source, searches, counts);
  }

  private static Contestant javaVector() {
    TaskProcess.Command command =
        new TaskProcess.Command(
            "java-vector-api",
            classPath(),
            VectorApiVq.class.getName(),
            List.of("--add-modules=jdk.incubator.vector"),
            Map.of());
    return new Contestant(
        "Java Vector API", TesseraVq.ASSIGN, command, OURS + "VectorApiSearch.java", true, false);
  }

  // As one writes it and runs it.
  private static Contestant libtorch(PeersFolder peers, String name, String task, String source)
      throws IOException {
    return libtorch(peers, "libtorch", LibtorchSettings.SLEEPING_BLAS, name, task, source);
  }

  // Written for speed, and run so.
  private static Contestant fastLibtorch(PeersFolder peers, String name, String task, String source)
      throws IOException {
    Map<String, String> settings =
        LibtorchSettings.both(LibtorchSettings.SLEEPING_BLAS, LibtorchSettings.KEEPS_MEMORY);
    return libtorch(peers, "libtorch, memory kept", settings, name, task, source);
  }

  private static Contestant libtorch(
      PeersFolder peers,
      String library,
      Map<String, String> settings,
      String name,
      String task,
      String source)
      throws IOException {
    TaskProcess.Command command =
        new TaskProcess.Command(
            library, peers.classPath(), PEER_CLASSES + "LibtorchVq", List.of(), settings);
    return new Contestant(name, task, command, PEERS + source, true, true);
  }

  /**
   * Whether FAISS' products are OpenBLAS' here, and not those of ten times slower reference code.
   */
  public static boolean faissHasOpenBlas(PeersFolder peers, Path library) throws IOException {
    try (TaskProcess process = new TaskProcess(faiss(peers, library, 1).command())) {
      return !process.describe().getOrDefault(PeerTasks.BLAS, "").isEmpty();
    }
  }

  private static Contestant faiss(PeersFolder peers, Path library, int threads) throws IOException {
    TaskProcess.Command command =
        new TaskProcess.Command(
            "faiss",
            peers.classPath(),
            PEER_CLASSES + "FaissVq",
            List.of("-D" + PeerTasks.FAISS_PROPERTY + "=" + library),
            Map.of("OPENBLAS_NUM_THREADS", Integer.toString(threads)));
    return new Contestant(
        "FAISS, IndexFlatL2", PeerTasks.FLAT, command, PEERS + "FaissSearchTask.java", true, true);
  }

  private static String classPath() {
    return System.getProperty("java.class.path");
  }
}
