package dev.tessera.benchmarks.vq;

import dev.tessera.benchmarks.harness.LoadedLibraries;
import dev.tessera.benchmarks.harness.Task;
import dev.tessera.benchmarks.harness.TaskFactory;
import dev.tessera.benchmarks.harness.TaskServer;
import dev.tessera.device.Device;
import java.io.IOException;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.SequencedMap;

/** The process that does our searches and steps, and oneDNN's matrix product alone. */
public final class TesseraVq implements TaskFactory {
  /** Task: the exact nearest code. */
  public static final String ASSIGN = "assign";

  /** Task: a whole training step of the quantiser. */
  public static final String STEP = "step";

  /** Task: oneDNN's fp32 product of the same shape, without norms and argmin. */
  public static final String SGEMM = "sgemm";

  /** System property with the device's name; the CPU without it. */
  public static final String DEVICE_PROPERTY = "tessera.benchmark.device";

  private final Device device = Device.open(System.getProperty(DEVICE_PROPERTY, "cpu"));

  private TesseraVq() {}

  /** Serves the parent. */
  public static void main(String[] args) throws IOException {
    TaskServer.serve(new TesseraVq());
  }

  @Override
  public Task open(String name, Path inputs, int threads) throws IOException {
    VqInputs read = VqInputs.read(inputs);
    return switch (name) {
      case ASSIGN -> new TesseraAssignTask(device, read, threads);
      case STEP -> new TesseraStepTask(device, read, threads);
      case SGEMM -> new SgemmTask(device, read, threads);
      default -> throw new IllegalArgumentException("no task " + name);
    };
  }

  @Override
  public SequencedMap<String, String> describe() {
    SequencedMap<String, String> facts = new LinkedHashMap<>();
    facts.put("device", device.info().description());
    facts.put("instruction_sets", device.info().instructionSets());
    facts.put("openmp", LoadedLibraries.openMp());
    facts.put("jvm", String.valueOf(Runtime.version()));
    return facts;
  }
}
