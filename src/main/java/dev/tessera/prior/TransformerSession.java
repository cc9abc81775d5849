package dev.tessera.prior;

import dev.tessera.device.DataType;
import dev.tessera.device.Memory;
import dev.tessera.device.Shape;
import dev.tessera.device.Stream;
import dev.tessera.device.Tensor;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Goes through the positions with a cache of keys and values. Products are taken in the one order
 * of addition, so that a grid's logits do not depend on how many others are beside it.
 */
final class TransformerSession implements CodeSession {
  private final TransformerPrior prior;
  private final Stream stream;
  private final int batch;
  private final List<Memory> owned = new ArrayList<>();
  private final List<TransformerBlock.Session> blocks = new ArrayList<>();
  private final List<Tensor> places = new ArrayList<>(); // [C] of each position
  private final Tensor ids; // what the position reads
  private final Tensor x;
  private final Tensor mean;
  private final Tensor rstd;
  private final Tensor logits;
  private int position;
  private boolean known; // whether `logits` are those of the position

  TransformerSession(TransformerPrior prior, Stream stream, int batch, @Nullable Tensor classes) {
    if (batch < 1) {
      throw new IllegalArgumentException("a session needs at least 1 grid, not " + batch);
    }
    this.prior = prior;
    this.stream = stream;
    this.batch = batch;
    PriorConfig.Grid grid = prior.config().grid();
    int width = prior.network().width();
    Memory table = memory((long) positions() * width * DataType.F32.bytes());
    Shape all = Shape.of(positions(), width);
    prior.places().write(stream, table.tensor(0, all, DataType.F32), room(all));
    for (int t = 0; t < positions(); t++) {
      places.add(
          table.tensor((long) t * width * DataType.F32.bytes(), Shape.of(width), DataType.F32));
    }
    this.ids = memory((long) batch * DataType.I32.bytes()).tensor(0, Shape.of(batch), DataType.I32);
    this.x = room(Shape.of(batch, width));
    this.mean = room(Shape.of(batch));
    this.rstd = room(Shape.of(batch));
    this.logits = room(Shape.of(batch, grid.codes()));
    for (TransformerBlock block : prior.blocks()) {
      blocks.add(block.new Session(this));
    }
    // Of a sequence of one position, nothing but its start is read.
    Shape one = Shape.of(batch, 1);
    Tensor none = memory((long) batch * DataType.I32.bytes()).tensor(0, one, DataType.I32);
    stream.fill(none, 0);
    TransformerOps.tokenIds(stream, grid.codes(), grid.classes(), none, classes, ids.reshape(one));
  }

  Stream stream() {
    return stream;
  }

  int positions() {
    return prior.config().grid().positions();
  }

  /** An f32 tensor that is closed with the session. */
  Tensor room(Shape shape) {
    return memory(shape.elements() * DataType.F32.bytes()).tensor(0, shape, DataType.F32);
  }

  private Memory memory(long bytes) {
    Memory memory = new Memory(stream.device(), bytes);
    owned.add(memory);
    return memory;
  }

  @Override
  public int batch() {
    return batch;
  }

  @Override
  public int position() {
    return position;
  }

  @Override
  public Tensor logits() {
    if (!known) {
      advance();
      prior.norm().apply(stream, x, x, mean, rstd);
      prior.toLogits().inOrder(stream, x, logits);
      known = true;
    }
    return logits;
  }

  /** Takes the position through the blocks, which puts its keys and values into the caches. */
  private void advance() {
    if (position >= positions()) {
      throw new IllegalStateException("all " + position + " positions are done");
    }
    TransformerOps.embedding(stream, prior.tokens(), ids, x);
    TransformerOps.addRow(stream, x, places.get(position), x);
    for (TransformerBlock.Session block : blocks) {
      block.at(position, x, rstd);
    }
  }

  @Override
  public void accept(Tensor codes) {
    if (!known) {
      advance();
    }
    stream.copy(ids, codes);
    position++;
    known = false;
  }

  @Override
  public void close() {
    owned.forEach(Memory::close);
    owned.clear();
  }
}
