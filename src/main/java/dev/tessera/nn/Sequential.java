package dev.tessera.nn;

import dev.tessera.device.Shape;
import dev.tessera.device.Tensor;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.SequencedMap;

/** Layers one after the other. Parameter names are {@code index.name}, as in PyTorch. */
public final class Sequential implements Layer {
  private final List<Layer> layers;

  private Sequential(List<Layer> layers) {
    if (layers.isEmpty()) {
      throw new IllegalArgumentException("a Sequential needs at least one layer");
    }
    this.layers = List.copyOf(layers);
  }

  /** The layers in the order in which they run. */
  public static Sequential of(Layer... layers) {
    return new Sequential(List.of(layers));
  }

  /** The layers in the order in which they run. */
  public static Sequential of(List<Layer> layers) {
    return new Sequential(layers);
  }

  @Override
  public Shape outputShape(Shape input) {
    Shape shape = input;
    for (Layer layer : layers) {
      shape = layer.outputShape(shape);
    }
    return shape;
  }

  @Override
  public Tensor forward(Pass pass, Tensor x) {
    Tensor y = x;
    for (Layer layer : layers) {
      y = layer.forward(pass, y);
    }
    return y;
  }

  @Override
  public Tensor infer(Pass pass, Tensor x) {
    Tensor y = x;
    for (Layer layer : layers) {
      y = layer.infer(pass, y);
    }
    return y;
  }

  @Override
  public Tensor backward(Pass pass, Tensor dy) {
    return layers.getFirst().backward(pass, backwardToSecond(pass, dy));
  }

  @Override
  public Tensor backwardKeeping(Pass pass, Tensor dy) {
    Tensor gradient = layers.getLast().backwardKeeping(pass, dy);
    for (Layer layer : layers.subList(0, layers.size() - 1).reversed()) {
      gradient = layer.backward(pass, gradient);
    }
    return gradient;
  }

  @Override
  public void backwardParameters(Pass pass, Tensor dy) {
    layers.getFirst().backwardParameters(pass, backwardToSecond(pass, dy));
  }

  private Tensor backwardToSecond(Pass pass, Tensor dy) {
    Tensor gradient = dy;
    for (Layer layer : layers.subList(1, layers.size()).reversed()) {
      gradient = layer.backward(pass, gradient);
    }
    return gradient;
  }

  @Override
  public SequencedMap<String, Parameter> parameters() {
    SequencedMap<String, Parameter> all = new LinkedHashMap<>();
    for (int i = 0; i < layers.size(); i++) {
      String prefix = i + ".";
      layers.get(i).parameters().forEach((name, p) -> all.put(prefix + name, p));
    }
    return all;
  }
}
