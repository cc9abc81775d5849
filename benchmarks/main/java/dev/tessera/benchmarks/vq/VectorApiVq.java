package dev.tessera.benchmarks.vq;

import dev.tessera.benchmarks.harness.Task;
import dev.tessera.benchmarks.harness.TaskFactory;
import dev.tessera.benchmarks.harness.TaskServer;
import dev.tessera.io.HostArray;
import java.io.IOException;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.SequencedMap;

/** The process that searches in Java alone, with {@code jdk.incubator.vector}. */
public final class VectorApiVq implements TaskFactory {
  private VectorApiVq() {}

  /** Serves the parent. */
  public static void main(String[] args) throws IOException {
    TaskServer.serve(new VectorApiVq());
  }

  @Override
  public Task open(String name, Path inputs, int threads) throws IOException {
    if (!name.equals(TesseraVq.ASSIGN) || threads != 1) {
      throw new IllegalArgumentException("Java searches on one thread, and does no " + name);
    }
    return new SearchTask(VqInputs.read(inputs));
  }

  @Override
  public SequencedMap<String, String> describe() {
    SequencedMap<String, String> facts = new LinkedHashMap<>();
    facts.put("vector_bits", Integer.toString(VectorApiSearch.vectorBits()));
    facts.put("jvm", String.valueOf(Runtime.version()));
    return facts;
  }

  private static final class SearchTask implements Task {
    private final VqInputs inputs;
    private final VectorApiSearch search;
    private final int[] codes;

    SearchTask(VqInputs inputs) {
      this.inputs = inputs;
      this.search = new VectorApiSearch(inputs.codes(), inputs.d());
      this.codes = new int[inputs.n()];
    }

    @Override
    public void step() {
      search.nearest(inputs.rows(), codes);
    }

    @Override
    public String form() {
      return "fp32, 4 rows by 4 vectors of codes in registers";
    }

    @Override
    public Map<String, HostArray> outputs() {
      step();
      return Map.of(VqOutputs.CODES, HostArray.of(codes.clone(), codes.length));
    }

    @Override
    public void close() {}
  }
}
