package dev.tessera.benchmarks.peers;

import dev.tessera.benchmarks.harness.LoadedLibraries;
import java.util.LinkedHashMap;
import java.util.SequencedMap;
import java.util.TreeMap;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import org.bytedeco.pytorch.global.torch;

/** What libtorch says of itself. */
final class LibtorchFacts {
  private static final Pattern VERSION = Pattern.compile("TORCH_VERSION=([^,\\s]+)");

  private LibtorchFacts() {}

  static SequencedMap<String, String> describe() {
    SequencedMap<String, String> facts = new LinkedHashMap<>();
    String config = torch.show_config().getString();
    Matcher version = VERSION.matcher(config);
    facts.put("version", version.find() ? version.group(1) : "unknown");
    facts.put("built_with", builtWith(config));
    facts.put("openmp", LoadedLibraries.openMp());
    facts.put("jvm", String.valueOf(Runtime.version()));
    facts.put("environment", environment());
    return facts;
  }

  // What the benchmark set for it: LibtorchSettings.
  private static String environment() {
    return new TreeMap<>(System.getenv())
        .entrySet().stream()
            .filter(e -> e.getKey().startsWith("MALLOC_") || e.getKey().startsWith("OPENBLAS_"))
            .map(e -> e.getKey() + "=" + e.getValue())
            .collect(Collectors.joining(" "));
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
