package dev.tessera.benchmarks.peers;

import dev.tessera.benchmarks.train.PriorCase;
import dev.tessera.prior.PriorConfig;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.bytedeco.pytorch.Tensor;

/** A prior in libtorch's functions, by our parameter names. */
interface TorchPrior {
  /** The logits {@code [N H W,K]} of a batch, by its number. */
  Tensor logits(int batch);

  /** Makes a prior of parameters and of the codes of all batches. */
  @FunctionalInterface
  interface Maker {
    /** The prior. */
    TorchPrior of(Map<String, Tensor> parameters, List<int[]> batches);
  }

  /**
   * A way to write it.
   *
   * @param name for people
   * @param maker of the prior
   */
  record Form(String name, Maker maker) {}

  /** The ways that are worth trying. */
  static List<Form> forms(PriorCase test) {
    PriorConfig config = test.config();
    boolean gated = config.pixelcnn() != null && config.pixelcnn().gated();
    List<Form> forms = new ArrayList<>();
    if (config.transformer() != null) {
      for (TorchTransformer.Product product : TorchTransformer.Product.values()) {
        forms.add(new Form(product.text(), (p, b) -> new TorchTransformer(config, product, p, b)));
      }
    } else {
      for (TorchMaskedConvs.Layout layout : TorchMaskedConvs.Layout.values()) {
        for (boolean pad : new boolean[] {true, false}) {
          String name = layout.text() + (pad ? ", kernel cut off" : ", kernel masked");
          forms.add(
              new Form(
                  name,
                  (p, b) -> {
                    TorchMaskedConvs convs = new TorchMaskedConvs(config.grid(), layout, pad, p, b);
                    return gated
                        ? new TorchGatedPixelCnn(config, convs)
                        : new TorchPixelCnn(config, convs);
                  }));
        }
      }
    }
    return forms;
  }
}
