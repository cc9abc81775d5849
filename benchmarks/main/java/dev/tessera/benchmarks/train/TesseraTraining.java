package dev.tessera.benchmarks.train;

import dev.tessera.benchmarks.harness.LoadedLibraries;
import dev.tessera.benchmarks.harness.Task;
import dev.tessera.benchmarks.harness.TaskFactory;
import dev.tessera.benchmarks.harness.TaskServer;
import dev.tessera.device.Device;
import java.io.IOException;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.SequencedMap;

/** The process that does our training steps. */
public final class TesseraTraining implements TaskFactory {
  private final Device device = Device.open("cpu");

  private TesseraTraining() {}

  /** Serves the parent. */
  public static void main(String[] args) throws IOException {
    TaskServer.serve(new TesseraTraining());
  }

  @Override
  public Task open(String name, Path inputs, int threads) throws IOException {
    return switch (StepCase.named(name)) {
      case TrainCase test -> new TesseraTrainTask(device, test, inputs, threads);
      case PriorCase test -> new TesseraPriorTask(device, test, inputs, threads);
    };
  }

  @Override
  public void writeInputs(String name, Path inputs) throws IOException {
    switch (StepCase.named(name)) {
      case TrainCase test -> TrainInputs.write(device, test, inputs);
      case PriorCase test -> PriorInputs.write(device, test, inputs);
    }
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
