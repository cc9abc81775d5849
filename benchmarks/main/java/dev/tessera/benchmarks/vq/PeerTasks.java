package dev.tessera.benchmarks.vq;

/** Names that both sides of a comparison with other libraries know. */
public final class PeerTasks {
  /** libtorch: |x|^2 + |c|^2 - 2xc of all rows, argmin. */
  public static final String FORMULA = "formula";

  /** libtorch: cdist of all rows, argmin. */
  public static final String CDIST = "cdist";

  /** libtorch: addmm and argmin, some rows at a time. */
  public static final String BLOCKED = "blocked";

  /** libtorch: a training step as lucidrains' library does it. */
  public static final String LUCIDRAINS = "lucidrains";

  /** libtorch: a training step for speed, without one-hot matrices. */
  public static final String INDEXED = "indexed";

  /** FAISS: IndexFlatL2. */
  public static final String FLAT = "flat";

  /** Fact of FAISS: the OpenBLAS that it computes products with; empty if another library does. */
  public static final String BLAS = "blas";

  /** System property with the library that calls FAISS. */
  public static final String FAISS_PROPERTY = "tessera.benchmark.faiss";

  private PeerTasks() {}
}
