package dev.tessera.benchmarks.peers;

import dev.tessera.benchmarks.harness.Task;
import dev.tessera.benchmarks.vq.VqInputs;
import dev.tessera.benchmarks.vq.VqOutputs;
import dev.tessera.io.HostArray;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Map;

/** A flat search through FAISS, k = 1. */
final class FaissSearchTask implements Task {
  private static final long LABEL_BYTES = 8;

  private final FaissLibrary library;
  private final VqInputs inputs;
  private final Arena arena = Arena.ofConfined();
  private final MemorySegment rows;
  private final MemorySegment distances;
  private final MemorySegment labels;
  private final MemorySegment index;

  FaissSearchTask(FaissLibrary library, VqInputs inputs) {
    this.library = library;
    this.inputs = inputs;
    this.rows = copy(inputs.rows());
    this.distances = arena.allocate(VqInputs.WORD * inputs.n(), 64);
    this.labels = arena.allocate(LABEL_BYTES * inputs.n(), 64);
    try (Arena temporary = Arena.ofConfined()) {
      MemorySegment codes = temporary.allocate(VqInputs.WORD * inputs.codes().length, 64);
      codes.copyFrom(MemorySegment.ofArray(inputs.codes()));
      this.index = library.index(codes, inputs.k(), inputs.d());
    }
  }

  private MemorySegment copy(float[] values) {
    MemorySegment segment = arena.allocate(VqInputs.WORD * values.length, 64);
    segment.copyFrom(MemorySegment.ofArray(values));
    return segment;
  }

  @Override
  public void step() {
    library.search(index, rows, inputs.n(), distances, labels);
  }

  @Override
  public String form() {
    return "IndexFlatL2, k = 1; built for: " + library.options();
  }

  @Override
  public Map<String, HostArray> outputs() {
    step();
    int[] codes = new int[inputs.n()];
    for (int i = 0; i < codes.length; i++) {
      codes[i] = Math.toIntExact(labels.getAtIndex(ValueLayout.JAVA_LONG, i));
    }
    return Map.of(VqOutputs.CODES, HostArray.of(codes, codes.length));
  }

  /** Distances are an output of FAISS' search. */
  @Override
  public long neededBytes() {
    return inputs.searchBytes(LABEL_BYTES) + VqInputs.WORD * inputs.n();
  }

  @Override
  public void close() {
    library.close(index);
    arena.close();
  }
}
