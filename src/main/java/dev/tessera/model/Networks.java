package dev.tessera.model;

import static dev.tessera.nn.Activation.NONE;
import static dev.tessera.nn.Activation.RELU;

import dev.tessera.model.VqVaeConfig.NetworkConfig;
import dev.tessera.nn.Conv2d;
import dev.tessera.nn.ConvTranspose2d;
import dev.tessera.nn.Layer;
import dev.tessera.nn.ReLU;
import dev.tessera.nn.ResidualBlock;
import dev.tessera.nn.Sequential;
import dev.tessera.nn.WeightRule;
import java.util.ArrayList;
import java.util.List;

/** Encoders {@code [B,H,W,C] -> [B,H/4,W/4,D]} and the decoders that mirror them. */
final class Networks {
  private Networks() {}

  static Sequential encoder(NetworkConfig net, int channels, int dim) {
    int half = net.hidden() / 2;
    return switch (net.kind()) {
      case KERAS -> {
        WeightRule w = WeightRule.KERAS;
        yield Sequential.of(
            new Conv2d(w.conv(channels, half, 3, 2, RELU)),
            new Conv2d(w.conv(half, net.hidden(), 3, 2, RELU)),
            new Conv2d(w.conv(net.hidden(), dim, 1, 1, NONE)));
      }
      case SONNET -> {
        WeightRule w = WeightRule.SONNET;
        List<Layer> layers = new ArrayList<>();
        layers.add(new Conv2d(w.conv(channels, half, 4, 2, RELU)));
        layers.add(new Conv2d(w.conv(half, net.hidden(), 4, 2, RELU)));
        layers.add(new Conv2d(w.conv(net.hidden(), net.hidden(), 3, 1, NONE)));
        addResidualStack(layers, net, w);
        layers.add(new Conv2d(w.conv(net.hidden(), dim, 1, 1, NONE)));
        yield Sequential.of(layers);
      }
    };
  }

  static Sequential decoder(NetworkConfig net, int channels, int dim) {
    int half = net.hidden() / 2;
    return switch (net.kind()) {
      case KERAS -> {
        WeightRule w = WeightRule.KERAS;
        yield Sequential.of(
            new ConvTranspose2d(w.conv(dim, net.hidden(), 3, 2, RELU)),
            new ConvTranspose2d(w.conv(net.hidden(), half, 3, 2, RELU)),
            new ConvTranspose2d(w.conv(half, channels, 3, 1, NONE)));
      }
      case SONNET -> {
        WeightRule w = WeightRule.SONNET;
        List<Layer> layers = new ArrayList<>();
        layers.add(new Conv2d(w.conv(dim, net.hidden(), 3, 1, NONE)));
        addResidualStack(layers, net, w);
        layers.add(new ConvTranspose2d(w.conv(net.hidden(), half, 4, 2, RELU)));
        layers.add(new ConvTranspose2d(w.conv(half, channels, 4, 2, NONE)));
        yield Sequential.of(layers);
      }
    };
  }

  // Sonnet's ResidualStack: the blocks, then a ReLU.
  private static void addResidualStack(List<Layer> layers, NetworkConfig net, WeightRule w) {
    for (int i = 0; i < net.residualLayers(); i++) {
      layers.add(new ResidualBlock(net.hidden(), net.residualHidden(), w));
    }
    layers.add(new ReLU());
  }
}
