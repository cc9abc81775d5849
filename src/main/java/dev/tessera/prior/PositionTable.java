package dev.tessera.prior;

import dev.tessera.device.DataType;
import dev.tessera.device.Memory;
import dev.tessera.device.Shape;
import dev.tessera.device.Stream;
import dev.tessera.device.Tensor;
import dev.tessera.nn.Ops;
import dev.tessera.nn.Parameter;
import dev.tessera.nn.Pass;
import java.lang.foreign.MemorySegment;
import java.util.SequencedMap;

/** Learned 2-D positions: a vector for each row and one for each column, added. */
final class PositionTable implements AutoCloseable {
  private final int positions;
  private final int width;
  private final Parameter rows; // [H,C]
  private final Parameter columns; // [W,C]
  private final Memory memory;
  private final Tensor rowOf; // i32 [T]
  private final Tensor columnOf;

  PositionTable(int rowCount, int columnCount, int width, Stream stream) {
    this.positions = rowCount * columnCount;
    this.width = width;
    this.rows = new Parameter(Shape.of(rowCount, width), TransformerBlock.normal(0.02));
    this.columns = new Parameter(Shape.of(columnCount, width), TransformerBlock.normal(0.02));
    long bytes = ((long) positions * DataType.I32.bytes() + 63) / 64 * 64;
    this.memory = new Memory(stream.device(), 2 * bytes);
    this.rowOf = memory.tensor(0, Shape.of(positions), DataType.I32);
    this.columnOf = memory.tensor(bytes, Shape.of(positions), DataType.I32);
    int[] r = new int[positions];
    int[] c = new int[positions];
    for (int t = 0; t < positions; t++) {
      r[t] = t / columnCount;
      c[t] = t % columnCount;
    }
    rowOf.copyFrom(stream, MemorySegment.ofArray(r));
    columnOf.copyFrom(stream, MemorySegment.ofArray(c));
  }

  void parameters(SequencedMap<String, Parameter> all) {
    all.put("rows.weight", rows);
    all.put("columns.weight", columns);
  }

  /** The vectors of all positions into {@code to} [T,C]; {@code other} is scratch of that shape. */
  void write(Stream stream, Tensor to, Tensor other) {
    TransformerOps.embedding(stream, rows.value(), rowOf, to);
    TransformerOps.embedding(stream, columns.value(), columnOf, other);
    Ops.add(stream, to, other, to);
  }

  /** Adds to each row of x [B T,C] its position's vector. */
  void add(Pass pass, Tensor x, int batch) {
    Tensor all = pass.allocate(Shape.of(positions, width));
    write(pass.stream(), all, pass.allocate(all.shape()));
    Tensor flat = x.reshape(Shape.of(batch, (long) positions * width));
    TransformerOps.addRow(
        pass.stream(), flat, all.reshape(Shape.of((long) positions * width)), flat);
  }

  /** The gradients from that by the rows. */
  void backward(Pass pass, Tensor dx, int batch) {
    Stream stream = pass.stream();
    long size = (long) positions * width;
    Tensor ones = pass.allocate(Shape.of(1, batch));
    stream.fill(ones, 1);
    Tensor sum = pass.allocate(Shape.of(1, size));
    TransformerOps.multiply(
        stream, TransformerOps.PRODUCT, ones, dx.reshape(Shape.of(batch, size)), null, sum);
    Tensor all = sum.reshape(Shape.of(positions, width));
    scatter(pass, all, rowOf, rows);
    scatter(pass, all, columnOf, columns);
  }

  private static void scatter(Pass pass, Tensor all, Tensor ids, Parameter table) {
    Tensor counts = pass.allocate(Shape.of(table.shape().dim(0)), DataType.I32);
    TransformerOps.embeddingBackward(pass.stream(), all, ids, counts, table.gradient());
  }

  @Override
  public void close() {
    memory.close();
  }
}
