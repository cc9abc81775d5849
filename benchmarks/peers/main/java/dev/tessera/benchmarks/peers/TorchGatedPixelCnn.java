package dev.tessera.benchmarks.peers;

import dev.tessera.prior.PriorConfig;
import dev.tessera.prior.PriorConfig.PixelCnn;
import java.util.Objects;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.TensorVector;

/** {@code pixelcnn} in libtorch's functions: gated, without classes. */
final class TorchGatedPixelCnn implements TorchPrior {
  private final PixelCnn network;
  private final TorchMaskedConvs convs;

  TorchGatedPixelCnn(PriorConfig config, TorchMaskedConvs convs) {
    this.network = Objects.requireNonNull(config.pixelcnn());
    this.convs = convs;
    int first = network.firstKernel();
    int half = first / 2;
    convs.prepareCodes("layers.0.vertical", first, half * first, half, half);
    convs.prepareCodes("layers.0.horizontal", half, half, 0, half);
  }

  @Override
  public Tensor logits(int batch) {
    String layer = "layers.0.";
    Tensor v = convs.codes(layer + "vertical", batch);
    Tensor h = convs.codes(layer + "horizontal", batch);
    h = h.add_(convs.pointwise(layer + "link", v));
    h = convs.pointwise(layer + "out", gate(h));
    for (int i = 1; i < network.layers(); i++) {
      layer = "layers." + i + ".";
      v = convs.masked(layer + "vertical", gate(v), null, network.kernel() / 2);
      Tensor wide = convs.masked(layer + "horizontal", h, null, 0);
      wide = wide.add_(convs.pointwise(layer + "link", v));
      h = convs.pointwise(layer + "out", gate(wide)).add_(h);
    }
    h = convs.pointwise("head.0", h).relu_();
    return convs.rows(convs.pointwise("head.1", h));
  }

  // tanh(a) sigmoid(b) of the halves of the channels.
  private static Tensor gate(Tensor x) {
    TensorVector halves = x.chunk(2, 1);
    return halves.get(0).tanh().mul(halves.get(1).sigmoid());
  }
}
