package dev.tessera.prior;

import dev.tessera.bindings.NativeLibrary;
import dev.tessera.device.DataType;
import dev.tessera.device.Shape;
import dev.tessera.device.Stream;
import dev.tessera.device.Tensor;
import dev.tessera.nn.Ops;
import dev.tessera.nn.Parameter;
import dev.tessera.nn.ParameterSet;
import dev.tessera.nn.Pass;
import dev.tessera.nn.RandomStreams;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.SequencedMap;
import org.jspecify.annotations.Nullable;

/**
 * A decoder-only transformer over codes in raster order (Vaswani et al. 2017; the blocks are
 * GPT-2's). Position t reads the code before it, position 0 the token of its class (or the one
 * start token), and each adds what was learned for its row and its column. After the blocks come a
 * norm and the logits, which may share the codes' embeddings.
 */
final class TransformerPrior implements Prior {
  private final PriorConfig config;
  private final PriorConfig.Transformer network;
  private final Parameter tokens; // [K + classes, C]
  private final PositionTable places;
  private final List<TransformerBlock> blocks = new ArrayList<>();
  private final LayerNorm norm;
  private final Output toLogits;
  private final ParameterSet parameters;
  private final @Nullable MemorySegment dropout;

  TransformerPrior(PriorConfig config, PriorConfig.Transformer network, Stream stream, long seed) {
    NativeLibrary.prepareLayers();
    this.config = config;
    this.network = network;
    PriorConfig.Grid grid = config.grid();
    int width = network.width();
    this.tokens =
        new Parameter(Shape.of(grid.codes() + startTokens(), width), TransformerBlock.normal(0.02));
    this.places = new PositionTable(grid.rows(), grid.columns(), width, stream);
    this.dropout =
        network.dropout() == 0
            ? null
            : TransformerOps.dropout(network.dropout(), seed, RandomStreams.DROPOUT);
    for (int i = 0; i < network.layers(); i++) {
      blocks.add(new TransformerBlock(network, seed, RandomStreams.DROPOUT + 1 + 2 * i));
    }
    this.norm = new LayerNorm(width);
    this.toLogits =
        network.tied()
            ? new TiedOutput(tokens, grid.codes())
            : new Linear(width, grid.codes(), TransformerBlock.normal(0.02));
    SequencedMap<String, Parameter> all = new LinkedHashMap<>();
    all.put("tokens.weight", tokens);
    places.parameters(all);
    for (int i = 0; i < blocks.size(); i++) {
      blocks.get(i).parameters("blocks." + i, all);
    }
    norm.parameters("ln_f", all);
    toLogits.parameters("head", all);
    this.parameters = new ParameterSet(stream, all);
    parameters.initialize(stream, seed);
  }

  @Override
  public PriorConfig config() {
    return config;
  }

  @Override
  public ParameterSet parameters() {
    return parameters;
  }

  @Override
  public Tensor logits(Pass pass, Tensor codes, @Nullable Tensor classes) {
    PriorConfig.Grid grid = config.grid();
    int batch = Math.toIntExact(codes.shape().dim(0));
    Tensor x = embed(pass, ids(pass, codes, classes), batch, -1);
    for (TransformerBlock block : blocks) {
      x = block.forward(pass, x, batch, -1);
    }
    return toLogits
        .forward(pass, norm.forward(pass, x).y())
        .reshape(Shape.of(batch, grid.rows(), grid.columns(), grid.codes()));
  }

  @Override
  public Tensor step(Pass pass, Tensor codes, @Nullable Tensor classes, long step) {
    Stream stream = pass.stream();
    int batch = Math.toIntExact(codes.shape().dim(0));
    int rows = batch * config.grid().positions();
    Tensor ones = pass.allocate(Shape.of(1, rows));
    stream.fill(ones, 1);
    Tensor ids = ids(pass, codes, classes);
    Tensor x = embed(pass, ids, batch, step);
    for (TransformerBlock block : blocks) {
      x = block.forward(pass, x, batch, step);
    }
    LayerNorm.Normalized last = norm.forward(pass, x);
    Tensor logits = toLogits.forward(pass, last.y());
    Tensor loss = pass.allocate(Shape.of(1), DataType.F64);
    Ops.softmaxCrossEntropy(stream, logits, codes.reshape(Shape.of(rows)), loss, logits);

    Tensor dx = toLogits.backward(pass, last.y(), logits, ones);
    norm.backward(pass, last, dx);
    for (TransformerBlock block : blocks.reversed()) {
      block.backward(pass, dx, batch, step, ones);
    }
    if (dropout != null) {
      TransformerOps.drop(stream, dropout, step, dx, null, dx);
    }
    places.backward(pass, dx, batch);
    Tensor counts = pass.allocate(Shape.of(tokens.shape().dim(0)), DataType.I32);
    TransformerOps.embeddingBackward(stream, dx, ids, counts, tokens.gradient());
    toLogits.addSharedGradient(stream);
    return loss;
  }

  @Override
  public CodeSession session(Stream stream, int batch, @Nullable Tensor classes) {
    requireClasses(classes);
    return new TransformerSession(this, stream, batch, classes);
  }

  @Override
  public void close() {
    places.close();
    parameters.close();
  }

  PriorConfig.Transformer network() {
    return network;
  }

  PositionTable places() {
    return places;
  }

  Tensor tokens() {
    return tokens.value();
  }

  List<TransformerBlock> blocks() {
    return blocks;
  }

  LayerNorm norm() {
    return norm;
  }

  Output toLogits() {
    return toLogits;
  }

  /** Tokens that a sequence can begin with: one a class, or one. */
  private int startTokens() {
    return Math.max(1, config.grid().classes());
  }

  /** What each position reads, i32 [B T]. */
  private Tensor ids(Pass pass, Tensor codes, @Nullable Tensor classes) {
    requireClasses(classes);
    int batch = Math.toIntExact(codes.shape().dim(0));
    Shape sequences = Shape.of(batch, config.grid().positions());
    Tensor ids = pass.allocate(sequences, DataType.I32);
    TransformerOps.tokenIds(
        pass.stream(),
        config.grid().codes(),
        config.grid().classes(),
        codes.reshape(sequences),
        classes,
        ids);
    return ids.reshape(Shape.of(sequences.elements()));
  }

  private Tensor embed(Pass pass, Tensor ids, int batch, long step) {
    Stream stream = pass.stream();
    Tensor x = pass.allocate(Shape.of(ids.shape().dim(0), network.width()));
    TransformerOps.embedding(stream, tokens.value(), ids, x);
    places.add(pass, x, batch);
    if (dropout != null && step >= 0) {
      TransformerOps.drop(stream, dropout, step, x, null, x);
    }
    return x;
  }

  private void requireClasses(@Nullable Tensor classes) {
    if ((classes != null) != (config.grid().classes() > 0)) {
      throw new IllegalArgumentException(
          config.grid().classes() > 0
              ? "the prior has " + config.grid().classes() + " classes: say which"
              : "the prior was trained without classes");
    }
  }
}
