package dev.tessera.benchmarks.peers;

import static org.bytedeco.pytorch.global.torch.addmm;

import dev.tessera.benchmarks.harness.Task;
import dev.tessera.benchmarks.harness.Trial;
import dev.tessera.benchmarks.vq.VqInputs;
import dev.tessera.benchmarks.vq.VqOutputs;
import dev.tessera.io.HostArray;
import java.util.Locale;
import java.util.Map;
import java.util.function.BinaryOperator;
import org.bytedeco.javacpp.IntPointer;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.LongOptional;
import org.bytedeco.pytorch.NoGradGuard;
import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.ScalarTypeOptional;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;
import org.bytedeco.pytorch.global.torch.ScalarType;

/** Nearest codes in libtorch, without autograd: as usually written, and in blocks of rows. */
final class TorchSearchTask implements Task {
  private static final Scalar ONE = new Scalar(1.0);
  private static final Scalar MINUS_TWO = new Scalar(-2.0);
  private static final long CODE_BYTES = 8; // argmin's
  private static final int[] BLOCKS = {64, 128, 256, 512, 1024, 2048};
  private static final int TRIALS = 7;

  private final VqInputs inputs;
  private final Tensor rows;
  private final Tensor codebook;
  private final BinaryOperator<Tensor> distances; // rows and codes to [rows,K]
  private int block; // rows at a time
  private String form;

  private TorchSearchTask(VqInputs inputs, String form, BinaryOperator<Tensor> distances) {
    this.inputs = inputs;
    this.rows = TorchArrays.matrix(inputs.rows(), inputs.d());
    this.codebook = TorchArrays.matrix(inputs.codes(), inputs.d());
    this.distances = distances;
    this.block = inputs.n();
    this.form = form;
  }

  /** All distances by |x|^2 + |c|^2 - 2xc, as VQ libraries have it, and argmin. */
  static TorchSearchTask formula(VqInputs inputs) {
    return new TorchSearchTask(
        inputs, "x^2 + c^2 - 2xc by matmul, argmin", TorchSearchTask::distances);
  }

  // Every temporary is freed after its last use, as Python's counting of references does.
  private static Tensor distances(Tensor x, Tensor c) {
    try (Tensor x2 = x.square();
        Tensor rowNorms = x2.sum(new long[] {1}, true, new ScalarTypeOptional());
        Tensor codeNorms = c.square().sum(1);
        Tensor norms = rowNorms.add(codeNorms);
        Tensor twice = twice(x, c)) {
      return norms.sub(twice);
    }
  }

  private static Tensor twice(Tensor x, Tensor c) {
    try (Tensor product = torch.matmul(x, c.t())) {
      return product.mul(new Scalar(2.0));
    }
  }

  /** All distances by {@code cdist}, which picks the matrix product by itself, and argmin. */
  static TorchSearchTask cdist(VqInputs inputs) {
    return new TorchSearchTask(inputs, "cdist, argmin", torch::cdist);
  }

  /**
   * The best that was found: one addmm without the rows' own norms, which do not change the nearest
   * code, and argmin, on so many rows at a time as are fastest here.
   */
  static TorchSearchTask blocked(VqInputs inputs) {
    TorchSearchTask task =
        new TorchSearchTask(
            inputs, "", (x, c) -> addmm(c.square().sum(1), x, c.t(), ONE, MINUS_TWO));
    double[] millis =
        Trial.medianMillis(
            BLOCKS.length,
            TRIALS,
            form -> {
              task.block = Math.min(BLOCKS[form], inputs.n());
              task.step();
            });
    int fastest = inputs.n();
    double least = Double.POSITIVE_INFINITY;
    for (int form = 0; form < BLOCKS.length; form++) {
      if (millis[form] < least) {
        least = millis[form];
        fastest = Math.min(BLOCKS[form], inputs.n());
      }
    }
    task.block = fastest;
    task.form = String.format(Locale.ROOT, "addmm, argmin, %d rows at a time (tried)", fastest);
    return task;
  }

  @Override
  public void step() {
    try (PointerScope _ = new PointerScope();
        NoGradGuard _ = new NoGradGuard()) {
      search();
    }
  }

  // Codes of all rows, i64 [N].
  private Tensor search() {
    LongOptional last = new LongOptional(1);
    if (block == inputs.n()) {
      try (Tensor all = distances.apply(rows, codebook)) {
        return all.argmin(last, false);
      }
    }
    Tensor codes = torch.zeros(inputs.n()).to(ScalarType.Long);
    for (int from = 0; from < inputs.n(); from += block) {
      try (PointerScope _ = new PointerScope()) {
        int count = Math.min(block, inputs.n() - from);
        Tensor some = distances.apply(rows.narrow(0, from, count), codebook).argmin(last, false);
        codes.narrow(0, from, count).copy_(some);
      }
    }
    return codes;
  }

  @Override
  public String form() {
    return form;
  }

  @Override
  public Map<String, HostArray> outputs() {
    try (PointerScope _ = new PointerScope();
        NoGradGuard _ = new NoGradGuard()) {
      int[] values = new int[inputs.n()];
      new IntPointer(search().to(ScalarType.Int).data_ptr_int()).get(values);
      return Map.of(VqOutputs.CODES, HostArray.of(values, values.length));
    }
  }

  @Override
  public long neededBytes() {
    return inputs.searchBytes(CODE_BYTES);
  }

  @Override
  public void close() {
    rows.close();
    codebook.close();
  }
}
