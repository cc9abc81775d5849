package dev.tessera.benchmarks.peers;

import dev.tessera.benchmarks.harness.LoadedLibraries;
import dev.tessera.benchmarks.harness.Task;
import dev.tessera.benchmarks.harness.TaskFactory;
import dev.tessera.benchmarks.harness.TaskServer;
import dev.tessera.benchmarks.train.TrainCase;
import java.io.IOException;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.SequencedMap;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import org.bytedeco.pytorch.global.torch;

/** The process that does libtorch's training steps. */
public final class LibtorchTraining implements TaskFactory {
  private static final Pattern VERSION = Pattern.compile("TORCH_VERSION=([^,\\s]+)");

  private LibtorchTraining() {}

  /** Serves the parent. */
  public static void main(String[] args) throws IOException {
    TaskServer.serve(new LibtorchTraining());
  }

  @Override
  public Task open(String name, Path inputs, int threads) throws IOException {
    torch.set_num_threads(threads);
    return LibtorchTrainTask.fastest(TrainCase.named(name), inputs);
  }

  @Override
  public SequencedMap<String, String> describe() {
    SequencedMap<String, String> facts = new LinkedHashMap<>();
    Matcher version = VERSION.matcher(torch.show_config().getString());
    facts.put("version", version.find() ? version.group(1) : "unknown");
    facts.put("built_with", builtWith(torch.show_config().getString()));
    facts.put("openmp", LoadedLibraries.openMp());
    facts.put("jvm", String.valueOf(Runtime.version()));
    return facts;
  }

  // The lines on oneDNN, BLAS and the instruction sets in use; the rest are compiler flags.
  private static String builtWith(String config) {
    return config
        .lines()
        .map(String::strip)
        .filter(line -> line.matches("- (Intel.*MKL-DNN|OpenMP|CPU capability).*"))
        .map(line -> line.substring(2).replaceAll(" \\(Git Hash.*\\)", ""))
        .collect(Collectors.joining("; "));
  }
}
