package dev.tessera.benchmarks.peers;

import static org.bytedeco.pytorch.global.torch.from_blob;

import dev.tessera.io.ElementType;
import dev.tessera.io.HostArray;
import java.util.Arrays;
import org.bytedeco.javacpp.FloatPointer;
import org.bytedeco.javacpp.IntPointer;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.TensorOptions;
import org.bytedeco.pytorch.global.torch.MemoryFormat;
import org.bytedeco.pytorch.global.torch.ScalarType;

/**
 * Arrays of files as libtorch's tensors, and back.
 *
 * <p>Images and kernels are turned by 180 degrees on the way: where the stride does not divide
 * evenly, "same" padding of Keras goes below and to the right, and libtorch's symmetric padding has
 * its effect above and to the left. So the turned network on turned images is the same network, and
 * libtorch pads inside its convolutions, where it is fastest, rather than by a copy before them.
 */
final class TorchArrays {
  private static final int HEIGHT = 2; // of NCHW and OIHW
  private static final int WIDTH = 3;

  private TorchArrays() {}

  /** A weight: of rank 4, [O,I,H,W], turned. */
  static Tensor weight(HostArray array, MemoryFormat format) {
    Tensor tensor = plain(array);
    return tensor.dim() == 4 ? tensor.flip(HEIGHT, WIDTH).contiguous(format) : tensor;
  }

  /** The inverse of {@link #weight}. */
  static HostArray weightArray(Tensor tensor) {
    return array(tensor.dim() == 4 ? tensor.flip(HEIGHT, WIDTH) : tensor);
  }

  /** Images [N,H,W,C] of a file as [N,C,H,W], turned. */
  static Tensor images(HostArray array, MemoryFormat format) {
    return plain(array).permute(0, 3, 1, 2).flip(HEIGHT, WIDTH).contiguous(format);
  }

  /** The inverse of {@link #images}, as one row. */
  static HostArray imagesArray(Tensor images) {
    return array(images.flip(HEIGHT, WIDTH).permute(0, 2, 3, 1).reshape(-1));
  }

  /** Codes of grids of {@code height} x {@code width} as [N], turned. */
  static Tensor codes(int[] codes, long height, long width) {
    try (IntPointer pointer = new IntPointer(codes)) {
      TensorOptions type = new TensorOptions(ScalarType.Int);
      Tensor grids =
          from_blob(pointer, new long[] {codes.length / (height * width), height, width}, type);
      return grids.flip(1, 2).reshape(-1).to(ScalarType.Long);
    }
  }

  /** Codes [N] of turned grids of {@code height} x {@code width}, turned back. */
  static HostArray codesArray(Tensor codes, long height, long width) {
    Tensor turned = codes.reshape(-1, height, width).flip(1, 2).reshape(-1).to(ScalarType.Int);
    int[] values = new int[(int) turned.numel()];
    new IntPointer(turned.data_ptr_int()).get(values);
    return HostArray.of(values, values.length);
  }

  /** Values [N,D] with rows of {@code d}. */
  static Tensor matrix(float[] values, int d) {
    try (FloatPointer pointer = new FloatPointer(values)) {
      return from_blob(pointer, new long[] {values.length / d, d}).clone();
    }
  }

  /** An f32 array as it is. */
  static Tensor plain(HostArray array) {
    if (array.type() != ElementType.F32) {
      throw new IllegalArgumentException("f32 is wanted, not " + array.type());
    }
    try (FloatPointer pointer = new FloatPointer(array.toFloats())) {
      return from_blob(pointer, array.shape()).clone();
    }
  }

  /** An f32 tensor of any layout as it is. */
  static HostArray array(Tensor tensor) {
    Tensor rows = tensor.contiguous();
    float[] values = new float[(int) rows.numel()];
    new FloatPointer(rows.data_ptr_float()).get(values);
    long[] shape = new long[(int) rows.dim()];
    Arrays.setAll(shape, rows::size);
    return HostArray.of(values, shape);
  }
}
