package dev.tessera.benchmarks.vq;

import dev.tessera.bench.Sgemm;
import dev.tessera.bench.VectorData;
import dev.tessera.benchmarks.harness.Task;
import dev.tessera.device.Device;
import dev.tessera.device.Stream;
import dev.tessera.io.HostArray;
import java.util.Map;

/** oneDNN's matrix product alone: a limit of searches that score every code in fp32, no search. */
final class SgemmTask implements Task {
  private final Stream stream;
  private final Sgemm product;

  SgemmTask(Device device, VqInputs inputs, int threads) {
    this.stream = device.openStream(threads);
    this.product =
        new Sgemm(stream, new VectorData(inputs.rows(), inputs.codes(), inputs.d(), "inputs"));
  }

  @Override
  public void step() {
    product.run();
    stream.synchronize();
  }

  @Override
  public String form() {
    return "oneDNN fp32, no norms, no argmin, output to one small buffer";
  }

  @Override
  public Map<String, HostArray> outputs() {
    return Map.of(); // nothing to compare: it has no codes
  }

  @Override
  public void close() {
    product.close();
    stream.close();
  }
}
