package dev.tessera.benchmarks.vq;

import dev.tessera.benchmarks.harness.Task;
import dev.tessera.device.DataType;
import dev.tessera.device.Device;
import dev.tessera.device.Shape;
import dev.tessera.device.Stream;
import dev.tessera.device.Tensor;
import dev.tessera.io.HostArray;
import dev.tessera.vq.Codebook;
import dev.tessera.vq.SearchStatistics;
import java.util.Map;

/** Our search, through the Java API. */
final class TesseraAssignTask implements Task {
  private final VqInputs inputs;
  private final Stream stream;
  private final Tensor rows;
  private final Tensor codes;
  private final Codebook codebook;
  private final String form;

  TesseraAssignTask(Device device, VqInputs inputs, int threads) {
    this.inputs = inputs;
    this.stream = device.openStream(threads);
    this.rows = device.allocate(Shape.of(inputs.n(), inputs.d()));
    this.codes = device.allocate(Shape.of(inputs.n()), DataType.I32);
    stream.fill(codes, -1); // so that a row left out is seen
    NativeCopies.copy(stream, inputs.rows(), rows);
    try (Tensor initial = device.allocate(Shape.of(inputs.k(), inputs.d()))) {
      NativeCopies.copy(stream, inputs.codes(), initial);
      this.codebook = Codebook.open(stream, initial);
    }
    SearchStatistics.take(stream);
    step();
    this.form = "exact (float64), " + SearchStatistics.take(stream).kernel();
  }

  @Override
  public void step() {
    codebook.assign(stream, rows, codes);
    stream.synchronize();
  }

  @Override
  public String form() {
    return form;
  }

  @Override
  public Map<String, HostArray> outputs() {
    step();
    return Map.of(VqOutputs.CODES, HostArray.of(codes.toInts(stream), inputs.n()));
  }

  @Override
  public long neededBytes() {
    return inputs.searchBytes(VqInputs.WORD);
  }

  @Override
  public void close() {
    codebook.close();
    codes.close();
    rows.close();
    stream.close();
  }
}
