package dev.tessera.benchmarks.peers;

import static org.bytedeco.pytorch.global.torch.conv2d;
import static org.bytedeco.pytorch.global.torch.conv_transpose2d;
import static org.bytedeco.pytorch.global.torch.relu;

import dev.tessera.model.VqVaeConfig.NetworkConfig;
import java.util.Map;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.TensorOptional;

/**
 * The encoders and decoders of {@code dev.tessera.model} in libtorch's functions, by our parameter
 * names. ReLU works in place wherever autograd allows it.
 */
final class TorchNetworks {
  private static final long[] ONE = {1, 1};

  private final NetworkConfig net;
  private final Map<String, Tensor> parameters;

  TorchNetworks(NetworkConfig net, Map<String, Tensor> parameters) {
    this.net = net;
    this.parameters = parameters;
  }

  /** [B,C,H,W] to [B,D,H/4,W/4]. */
  Tensor encode(Tensor x) {
    return switch (net.kind()) {
      case KERAS -> {
        Tensor h = conv("encoder.0", x, 2, 1).relu_();
        h = conv("encoder.1", h, 2, 1).relu_();
        yield conv("encoder.2", h, 1, 0);
      }
      case SONNET -> {
        Tensor h = conv("encoder.0", x, 2, 1).relu_();
        h = conv("encoder.1", h, 2, 1).relu_();
        h = conv("encoder.2", h, 1, 1);
        h = residualStack("encoder.", 3, h);
        yield conv("encoder." + (4 + net.residualLayers()), h, 1, 0);
      }
    };
  }

  /** [B,D,H/4,W/4] to [B,C,H,W]. */
  Tensor decode(Tensor z) {
    return switch (net.kind()) {
      case KERAS -> {
        // A kernel of 3 at stride 2 doubles the grid with one more row and column at the end.
        Tensor h = transposed("decoder.0", z, 2, 1).relu_();
        h = transposed("decoder.1", h, 2, 1).relu_();
        yield transposed("decoder.2", h, 1, 0);
      }
      case SONNET -> {
        Tensor h = conv("decoder.0", z, 1, 1);
        h = residualStack("decoder.", 1, h);
        h = transposed("decoder." + (2 + net.residualLayers()), h, 2, 0).relu_();
        yield transposed("decoder." + (3 + net.residualLayers()), h, 2, 0);
      }
    };
  }

  // Blocks x + conv1x1(relu(conv3x3(relu(x)))), then a ReLU.
  private Tensor residualStack(String prefix, int first, Tensor x) {
    Tensor h = x;
    for (int i = first; i < first + net.residualLayers(); i++) {
      Tensor inner = conv(prefix + i + ".1", relu(h), 1, 1).relu_();
      h = conv(prefix + i + ".2", inner, 1, 0).add_(h);
    }
    return h.relu_();
  }

  private Tensor conv(String name, Tensor x, long stride, long padding) {
    return conv2d(
        x,
        parameter(name + ".weight"),
        new TensorOptional(parameter(name + ".bias")),
        new long[] {stride, stride},
        new long[] {padding, padding},
        ONE,
        1);
  }

  private Tensor transposed(String name, Tensor x, long stride, long outputPadding) {
    return conv_transpose2d(
        x,
        parameter(name + ".weight"),
        new TensorOptional(parameter(name + ".bias")),
        new long[] {stride, stride},
        ONE,
        new long[] {outputPadding, outputPadding},
        1,
        1,
        1);
  }

  private Tensor parameter(String name) {
    Tensor found = parameters.get(name);
    if (found == null) {
      throw new IllegalStateException("the inputs have no parameter " + name);
    }
    return found;
  }
}
