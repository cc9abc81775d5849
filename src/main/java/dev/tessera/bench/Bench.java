package dev.tessera.bench;

import dev.tessera.device.Device;
import dev.tessera.device.Stream;
import dev.tessera.vq.SearchStatistics;
import java.util.ArrayList;
import java.util.List;
import java.util.function.DoubleSupplier;
import org.jspecify.annotations.Nullable;

/** Measures one op on one set of vectors. */
public final class Bench {
  private static final String AVX2_FAMILY = "fp32-avx2";

  private final BenchPlan plan;
  private final VectorData data;
  private final Stream stream;
  private final OpTensors tensors;

  private Bench(BenchPlan plan, VectorData data, Stream stream, OpTensors tensors) {
    this.plan = plan;
    this.data = data;
    this.stream = stream;
    this.tensors = tensors;
  }

  /**
   * Checks the op's answers, and then measures it beside the fp32 peak and a matrix product.
   *
   * @param data of the plan's shape
   * @param version of Tessera, for the record
   */
  public static BenchResult run(BenchPlan plan, VectorData data, String version) {
    try (Device device = Device.open(plan.device());
        Stream stream = device.openStream(plan.threads());
        OpTensors tensors = new OpTensors(stream, data)) {
      return new Bench(plan, data, stream, tensors).run(device, version);
    }
  }

  private BenchResult run(Device device, String version) {
    SearchStatistics found = plan.op() == Op.UPDATE ? findCodes(device) : null;
    Device.MemoryUse before = device.memoryUse();
    tensors.run(plan.op());
    Device.MemoryUse after = device.memoryUse();
    // Peaks of before are not the op's; of what the op took, scratch stays.
    long most = after.peakBytes() > before.peakBytes() ? after.peakBytes() : after.bytesInUse();

    SearchStatistics statistics = found == null ? SearchStatistics.take(stream) : found;
    CodeCheck.Result codes = new CodeCheck(data, CodeCheck.ALL_ROWS_UP_TO).compare(tensors.codes());
    Long wrong = plan.op() == Op.ASSIGN ? null : tensors.outputMismatches(plan.op());

    Figures figures = measure(statistics.kernel().equals(AVX2_FAMILY));
    double gflops = gflops(plan.op(), figures.seconds.median());
    Device.Info info = device.info();
    return new BenchResult(
        plan.op(),
        plan.device(),
        statistics.kernel(),
        data.n(),
        data.k(),
        data.d(),
        plan.threads(),
        figures.seconds.median(),
        gflops,
        figures.peak,
        gflops / figures.peak,
        figures.sgemm,
        gflops / figures.sgemm,
        (double) statistics.candidates() / statistics.rows(),
        statistics.rescoredRows(),
        statistics.scannedRows(),
        codes.mismatches(),
        codes.rowsChecked(),
        wrong,
        most - before.bytesInUse(),
        tensors.codebookBytes(),
        figures.avx2Peak,
        figures.avx2Peak == null ? null : gflops / figures.avx2Peak,
        figures.assignSeconds,
        figures.assignSeconds == null ? null : figures.seconds.median() / figures.assignSeconds,
        List.of(figures.seconds.first(), figures.seconds.median(), figures.seconds.third()),
        figures.seconds.median() / (plan.threads() == 1 ? 1 - figures.rounds.lost(1) : 1),
        plan.repeats(),
        figures.rounds.thrownAway(),
        figures.rounds.lost(1),
        statistics.histogram(),
        data.description(),
        info.description(),
        info.instructionSets(),
        version);
  }

  // The codes of an update, by another stream: its scratch is not the update's.
  private SearchStatistics findCodes(Device device) {
    try (Stream other = device.openStream(plan.threads())) {
      other.waitFor(stream); // which filled the tensors
      tensors.run(Op.ASSIGN, other);
      return SearchStatistics.take(other);
    }
  }

  private record Figures(
      Rounds rounds,
      Quartiles seconds,
      double peak,
      double sgemm,
      @Nullable Double avx2Peak,
      @Nullable Double assignSeconds) {}

  private Figures measure(boolean avx2) {
    boolean withAssign = plan.op() == Op.QUANTIZE;
    Stopwatch op = stopwatch(() -> tensors.run(plan.op()));
    try (Sgemm sgemm = new Sgemm(stream, data)) {
      Stopwatch product = stopwatch(sgemm::run);
      List<DoubleSupplier> parts = new ArrayList<>();
      parts.add(() -> Fp32Peak.measure(stream, Fp32Peak.WIDEST));
      parts.add(op::measure);
      parts.add(product::measure);
      if (avx2) {
        parts.add(() -> Fp32Peak.measure(stream, Fp32Peak.AVX2));
      }
      if (withAssign) {
        parts.add(stopwatch(() -> tensors.run(Op.ASSIGN))::measure);
      }
      Rounds rounds = Rounds.measure(plan.repeats(), parts);
      int last = parts.size() - 1;
      return new Figures(
          rounds,
          rounds.of(1),
          rounds.of(0).median(),
          gflops(Op.ASSIGN, rounds.of(2).median()),
          avx2 ? rounds.of(3).median() : null,
          withAssign ? rounds.of(last).median() : null);
    }
  }

  private Stopwatch stopwatch(Runnable call) {
    return new Stopwatch(plan.threads(), call);
  }

  private double gflops(Op op, double seconds) {
    return op.operations(data.n(), data.k(), data.d()) / seconds * 1e-9;
  }
}
