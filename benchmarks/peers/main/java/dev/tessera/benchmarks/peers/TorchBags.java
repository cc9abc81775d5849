package dev.tessera.benchmarks.peers;

import static org.bytedeco.pytorch.global.torch.embedding_bag;
import static org.bytedeco.pytorch.global.torch.from_blob;

import dev.tessera.prior.PriorConfig.Grid;
import java.util.Arrays;
import org.bytedeco.javacpp.LongPointer;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.TensorOptions;
import org.bytedeco.pytorch.global.torch.ScalarType;

/**
 * The first layer of a PixelCNN as libtorch does it best: a masked convolution of one-hot codes is
 * a sum of one row of weights {@code [taps K,O]} a tap, so each position is a bag of {@code
 * embedding_bag}. Taps outside of the image are left out of their bags. The lists are made before
 * anything is timed.
 */
final class TorchBags {
  private final Tensor rows; // of all bags, one after the other
  private final Tensor starts; // of each bag in `rows`

  /**
   * The bags of a batch of grids.
   *
   * @param kernelColumns of the kernel
   * @param taps the first of its positions, along its rows: those that the mask leaves
   * @param top rows that it reaches up
   * @param left columns that it reaches to the left
   */
  TorchBags(int[] codes, Grid grid, int kernelColumns, int taps, int top, int left) {
    int positions = grid.positions();
    long[] all = new long[codes.length * taps];
    long[] begins = new long[codes.length];
    int n = 0;
    for (int i = 0; i < codes.length; i++) {
      begins[i] = n;
      int first = i - i % positions; // of its image
      for (int tap = 0; tap < taps; tap++) {
        int r = i % positions / grid.columns() - top + tap / kernelColumns;
        int c = i % grid.columns() - left + tap % kernelColumns;
        if (r >= 0 && r < grid.rows() && c >= 0 && c < grid.columns()) {
          all[n++] = (long) tap * grid.codes() + codes[first + r * grid.columns() + c];
        }
      }
    }
    this.rows = longs(Arrays.copyOf(all, n));
    this.starts = longs(begins);
  }

  /** The sums {@code [N,O]} of the rows of weights {@code [taps,K,O]}. */
  Tensor sums(Tensor weight) {
    Tensor table = weight.reshape(-1, weight.size(2));
    return embedding_bag(table, rows, starts).get0();
  }

  /** Numbers as a tensor of their own. */
  static Tensor longs(long[] values) {
    try (LongPointer pointer = new LongPointer(values)) {
      return from_blob(pointer, new long[] {values.length}, new TensorOptions(ScalarType.Long))
          .clone();
    }
  }
}
