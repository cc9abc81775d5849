package dev.tessera.benchmarks.tokens;

import dev.tessera.device.Device;
import dev.tessera.device.Stream;
import dev.tessera.io.HostArray;
import dev.tessera.io.Json;
import dev.tessera.io.Safetensors;
import dev.tessera.model.ModelFile;
import dev.tessera.model.VqVae;
import dev.tessera.model.VqVaeConfig;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;

/**
 * A run folder with a model's first weights, in a temporary place: encoding and decoding take as
 * long as with trained ones.
 */
final class UntrainedRun implements AutoCloseable {
  private final Path folder;

  UntrainedRun(String configuration) throws IOException {
    this.folder = Files.createTempDirectory("tessera-benchmark-run");
    VqVaeConfig config = VqVaeConfig.named(configuration);
    Json.write(config(), config);
    Map<String, HostArray> tensors = new LinkedHashMap<>();
    Map<String, String> metadata = new LinkedHashMap<>();
    try (Device device = Device.open("cpu");
        Stream stream = device.openStream(1);
        VqVae model = new VqVae(config, stream, 1)) {
      ModelFile.collect(stream, model, tensors, metadata);
      Safetensors.write(weights(), tensors, metadata);
    }
  }

  Path folder() {
    return folder;
  }

  private Path config() {
    return folder.resolve("config.json");
  }

  private Path weights() {
    return folder.resolve("model.safetensors");
  }

  @Override
  public void close() throws IOException {
    Files.deleteIfExists(config());
    Files.deleteIfExists(weights());
    Files.delete(folder);
  }
}
