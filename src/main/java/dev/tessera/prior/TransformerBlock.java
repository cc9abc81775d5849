package dev.tessera.prior;

import dev.tessera.device.Shape;
import dev.tessera.device.Stream;
import dev.tessera.device.Tensor;
import dev.tessera.nn.Initializer;
import dev.tessera.nn.Ops;
import dev.tessera.nn.Parameter;
import dev.tessera.nn.Pass;
import java.lang.foreign.MemorySegment;
import java.util.SequencedMap;
import org.jspecify.annotations.Nullable;

/**
 * A pre-norm decoder block (Radford et al. 2019, "Language models are unsupervised multitask
 * learners"): {@code x + drop(proj(attention(norm(x))))}, then {@code x + drop(fc2(gelu(fc1(
 * norm(x)))))} with four times the width between. Rows are positions, {@code [B T,C]}.
 */
final class TransformerBlock {
  private static final int EXPANSION = 4;
  private static final double DEVIATION = 0.02; // of first weights, as in GPT-2

  private final int width;
  private final int heads;
  private final LayerNorm attentionNorm;
  private final Linear toQkv;
  private final Linear fromAttention;
  private final LayerNorm mlpNorm;
  private final Linear expand;
  private final Linear contract;
  private final @Nullable MemorySegment attentionDropout;
  private final @Nullable MemorySegment mlpDropout;
  private @Nullable Kept kept;

  /** What the forward pass leaves for the backward pass. */
  private record Kept(
      LayerNorm.Normalized first,
      Tensor qkv,
      Tensor attended,
      Tensor lse,
      LayerNorm.Normalized second,
      Tensor hidden,
      Tensor active) {}

  /**
   * A block of {@code layers}: the weights that end a residual branch begin smaller by the root of
   * the number of branches, as in GPT-2.
   */
  TransformerBlock(PriorConfig.Transformer network, long seed, int firstStream) {
    this.width = network.width();
    this.heads = network.heads();
    Initializer first = normal(DEVIATION);
    Initializer last = normal(DEVIATION / Math.sqrt(2.0 * network.layers()));
    this.attentionNorm = new LayerNorm(width);
    this.toQkv = new Linear(width, 3 * width, first);
    this.fromAttention = new Linear(width, width, last);
    this.mlpNorm = new LayerNorm(width);
    this.expand = new Linear(width, EXPANSION * width, first);
    this.contract = new Linear(EXPANSION * width, width, last);
    double p = network.dropout();
    this.attentionDropout = p == 0 ? null : TransformerOps.dropout(p, seed, firstStream);
    this.mlpDropout = p == 0 ? null : TransformerOps.dropout(p, seed, firstStream + 1);
  }

  /** A normal distribution around 0. */
  static Initializer normal(double deviation) {
    return (values, random) -> {
      for (int i = 0; i < values.length; i++) {
        values[i] = (float) (deviation * random.nextNormal());
      }
    };
  }

  void parameters(String prefix, SequencedMap<String, Parameter> all) {
    attentionNorm.parameters(prefix + ".ln_1", all);
    toQkv.parameters(prefix + ".attn.qkv", all);
    fromAttention.parameters(prefix + ".attn.proj", all);
    mlpNorm.parameters(prefix + ".ln_2", all);
    expand.parameters(prefix + ".mlp.fc", all);
    contract.parameters(prefix + ".mlp.proj", all);
  }

  /**
   * The block's output, for {@code batch} sequences.
   *
   * @param step of training, which the dropped elements follow from; negative for none dropped
   */
  Tensor forward(Pass pass, Tensor x, int batch, long step) {
    Stream stream = pass.stream();
    int rows = Math.toIntExact(x.shape().dim(0));
    int positions = rows / batch;
    LayerNorm.Normalized first = attentionNorm.forward(pass, x);
    Tensor qkv = toQkv.forward(pass, first.y());
    Tensor attended = pass.allocate(x.shape());
    Tensor lse = pass.allocate(Shape.of(batch, heads, positions));
    TransformerOps.attention(
        stream,
        heads,
        qkv.reshape(Shape.of(batch, positions, 3L * width)),
        attended.reshape(Shape.of(batch, positions, width)),
        lse);
    Tensor middle = fromAttention.forward(pass, attended);
    addBranch(stream, attentionDropout, step, middle, x);
    LayerNorm.Normalized second = mlpNorm.forward(pass, middle);
    Tensor hidden = expand.forward(pass, second.y());
    Tensor active = pass.allocate(hidden.shape());
    TransformerOps.gelu(stream, hidden, active);
    Tensor y = contract.forward(pass, active);
    addBranch(stream, mlpDropout, step, y, middle);
    if (step >= 0) {
      kept = new Kept(first, qkv, attended, lse, second, hidden, active);
    }
    return y;
  }

  /** {@code branch = residual + drop(branch)}. */
  private static void addBranch(
      Stream stream, @Nullable MemorySegment dropout, long step, Tensor branch, Tensor residual) {
    if (dropout == null || step < 0) {
      Ops.add(stream, branch, residual, branch);
    } else {
      TransformerOps.drop(stream, dropout, step, branch, residual, branch);
    }
  }

  /** The gradient of the branch before it was dropped from and added. */
  private static Tensor branchGradient(
      Pass pass, @Nullable MemorySegment dropout, long step, Tensor dy) {
    if (dropout == null) {
      return dy;
    }
    Tensor d = pass.allocate(dy.shape());
    TransformerOps.drop(pass.stream(), dropout, step, dy, null, d);
    return d;
  }

  /** Turns dy into the gradient by x, in place, and writes the parameters' gradients. */
  void backward(Pass pass, Tensor dy, int batch, long step, Tensor ones) {
    Kept k = requireKept();
    Stream stream = pass.stream();
    int positions = Math.toIntExact(dy.shape().dim(0)) / batch;
    Tensor dBranch = branchGradient(pass, mlpDropout, step, dy);
    Tensor dHidden = contract.backward(pass, k.active, dBranch, ones);
    TransformerOps.geluBackward(stream, k.hidden, dHidden, dHidden);
    Tensor dNorm = expand.backward(pass, k.second.y(), dHidden, ones);
    mlpNorm.backward(pass, k.second, dNorm);
    Ops.add(stream, dy, dNorm, dy);

    dBranch = branchGradient(pass, attentionDropout, step, dy);
    Tensor dAttended = fromAttention.backward(pass, k.attended, dBranch, ones);
    Tensor dQkv = pass.allocate(k.qkv.shape());
    Shape sequences = Shape.of(batch, positions, width);
    Shape wide = Shape.of(batch, positions, 3L * width);
    TransformerOps.attentionBackward(
        stream,
        heads,
        k.qkv.reshape(wide),
        k.attended.reshape(sequences),
        k.lse,
        dAttended.reshape(sequences),
        dQkv.reshape(wide));
    dNorm = toQkv.backward(pass, k.first.y(), dQkv, ones);
    attentionNorm.backward(pass, k.first, dNorm);
    Ops.add(stream, dy, dNorm, dy);
    kept = null;
  }

  private Kept requireKept() {
    if (kept == null) {
      throw new IllegalStateException("backward without forward");
    }
    return kept;
  }

  /** What one position after the other needs: the cache, and a row of each activation. */
  final class Session {
    private final Tensor cache;
    private final Tensor normalized;
    private final Tensor statistics;
    private final Tensor qkv;
    private final Tensor attended;
    private final Tensor branch;
    private final Tensor hidden;
    private final Stream stream;

    Session(TransformerSession owner) {
      int batch = owner.batch();
      this.stream = owner.stream();
      this.cache = owner.room(Shape.of(batch, owner.positions(), 2L * width));
      this.normalized = owner.room(Shape.of(batch, width));
      this.statistics = owner.room(Shape.of(batch));
      this.qkv = owner.room(Shape.of(batch, 3L * width));
      this.attended = owner.room(Shape.of(batch, width));
      this.branch = owner.room(Shape.of(batch, width));
      this.hidden = owner.room(Shape.of(batch, (long) EXPANSION * width));
    }

    /** Turns x [B,C] into the block's output, in place. */
    void at(int position, Tensor x, Tensor otherStatistics) {
      attentionNorm.apply(stream, x, normalized, statistics, otherStatistics);
      toQkv.inOrder(stream, normalized, qkv);
      TransformerOps.attentionStep(stream, heads, position, qkv, cache, attended);
      fromAttention.inOrder(stream, attended, branch);
      Ops.add(stream, x, branch, x);
      mlpNorm.apply(stream, x, normalized, statistics, otherStatistics);
      expand.inOrder(stream, normalized, hidden);
      TransformerOps.gelu(stream, hidden, hidden);
      contract.inOrder(stream, hidden, branch);
      Ops.add(stream, x, branch, x);
    }
  }
}
