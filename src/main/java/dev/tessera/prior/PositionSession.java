package dev.tessera.prior;

import dev.tessera.device.DataType;
import dev.tessera.device.Device;
import dev.tessera.device.Memory;
import dev.tessera.device.Shape;
import dev.tessera.device.Stream;
import dev.tessera.device.Tensor;
import java.util.ArrayDeque;
import java.util.Deque;
import org.jspecify.annotations.Nullable;

/**
 * What the PixelCNNs' sessions share: the codes so far, {@code [H,W,B]}, the position, and what has
 * to be closed.
 */
abstract class PositionSession implements CodeSession {
  private final PriorConfig.Grid grid;
  private final int batch;
  private final Stream stream;
  private final Memory codeMemory;
  private final Tensor codes; // [H,W,B]
  private final Deque<AutoCloseable> owned = new ArrayDeque<>();
  private int position;
  private @Nullable Tensor logits; // of this position, if they were asked for

  PositionSession(PriorConfig.Grid grid, Stream stream, int batch) {
    if (batch < 1) {
      throw new IllegalArgumentException("a session needs at least 1 grid, not " + batch);
    }
    this.grid = grid;
    this.batch = batch;
    this.stream = stream;
    Shape shape = Shape.of(grid.rows(), grid.columns(), batch);
    this.codeMemory = new Memory(stream.device(), shape.elements() * DataType.I32.bytes());
    this.codes = codeMemory.tensor(0, shape, DataType.I32);
  }

  /** Computes the features and logits {@code [B,K]} of a position, all before it being known. */
  abstract Tensor compute(int row, int column);

  final Stream stream() {
    return stream;
  }

  final Device device() {
    return stream.device();
  }

  final PriorConfig.Grid grid() {
    return grid;
  }

  /** The codes so far, i32 {@code [H,W,B]}. */
  final Tensor codes() {
    return codes;
  }

  /** Keeps something that is closed with the session. */
  final <T extends AutoCloseable> T own(T part) {
    owned.push(part);
    return part;
  }

  final FeatureMap map(int channels) {
    return own(new FeatureMap(device(), grid.rows(), grid.columns(), batch, channels));
  }

  final FeatureMap single(int channels) {
    return own(FeatureMap.single(device(), batch, channels));
  }

  @Override
  public final int batch() {
    return batch;
  }

  @Override
  public final int position() {
    return position;
  }

  @Override
  public final Tensor logits() {
    requireMore();
    if (logits == null) {
      logits = compute(position / grid.columns(), position % grid.columns());
    }
    return logits;
  }

  @Override
  public final void accept(Tensor chosen) {
    logits(); // later positions need this one's features
    Tensor place =
        codeMemory.tensor(
            (long) position * batch * DataType.I32.bytes(), Shape.of(batch), DataType.I32);
    stream.copy(place, chosen);
    position++;
    logits = null;
  }

  private void requireMore() {
    if (position >= grid.positions()) {
      throw new IllegalStateException("all " + position + " positions are done");
    }
  }

  @Override
  public final void close() {
    while (!owned.isEmpty()) {
      try {
        owned.pop().close();
      } catch (RuntimeException e) {
        throw e;
      } catch (Exception e) {
        throw new IllegalStateException(e);
      }
    }
    codeMemory.close();
  }
}
