package dev.tessera.nn;

import dev.tessera.device.DataType;
import dev.tessera.device.Shape;
import dev.tessera.device.Stream;
import dev.tessera.device.Tensor;
import dev.tessera.device.Workspace;

/**
 * Where a forward or backward pass runs: its calls go to {@code stream}, its activations come from
 * {@code workspace} and live until that is reset.
 */
public record Pass(Stream stream, Workspace workspace) {
  /** An f32 activation, not cleared. */
  public Tensor allocate(Shape shape) {
    return workspace.allocate(shape);
  }

  /** An activation of another type, not cleared. */
  public Tensor allocate(Shape shape, DataType type) {
    return workspace.allocate(shape, type);
  }
}
