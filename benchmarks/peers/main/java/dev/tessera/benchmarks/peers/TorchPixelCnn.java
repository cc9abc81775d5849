package dev.tessera.benchmarks.peers;

import dev.tessera.prior.PriorConfig;
import dev.tessera.prior.PriorConfig.PixelCnn;
import java.util.Arrays;
import java.util.Objects;
import org.bytedeco.pytorch.Tensor;

/**
 * {@code keras-pixelcnn} in libtorch's functions: ReLU in place, but for the end of a block, whose
 * sum autograd needs beside it. The mask (mask B of a kernel cut off below its centre) is
 * multiplied into the weights in each pass.
 */
final class TorchPixelCnn implements TorchPrior {
  private final PixelCnn network;
  private final TorchMaskedConvs convs;
  private final Tensor mask; // [1,1,k/2+1,k]

  TorchPixelCnn(PriorConfig config, TorchMaskedConvs convs) {
    this.network = Objects.requireNonNull(config.pixelcnn());
    this.convs = convs;
    int first = network.firstKernel();
    int half = first / 2;
    convs.prepareCodes("first", first, half * first + half, half, half);
    int kernel = network.kernel();
    int rows = kernel / 2 + 1;
    float[] values = new float[rows * kernel];
    Arrays.fill(values, 0, kernel / 2 * kernel + kernel / 2 + 1, 1);
    this.mask = TorchArrays.matrix(values, kernel).view(1, 1, rows, kernel);
  }

  @Override
  public Tensor logits(int batch) {
    Tensor x = convs.codes("first", batch).relu_();
    for (int i = 0; i < network.layers(); i++) {
      String block = "blocks." + i + ".";
      Tensor h = convs.pointwise(block + 0, x).relu_();
      h = convs.masked(block + 1, h, mask, network.kernel() / 2).relu_();
      h = convs.pointwise(block + 2, h).relu_();
      x = x.add(h);
    }
    Tensor h = convs.pointwise("head.0", x).relu_();
    h = convs.pointwise("head.1", h).relu_();
    return convs.rows(convs.pointwise("head.2", h));
  }
}
