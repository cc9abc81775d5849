package dev.tessera.judge;

import dev.tessera.data.ImageDataset;
import dev.tessera.model.VqVaeConfig.ImageConfig;
import java.util.List;
import java.util.Locale;

/**
 * Everything that decides a classifier but its data and seed; {@code config.json} of its folder.
 *
 * @param name of the configuration
 * @param image what an image is
 * @param classes labels are 0 to classes - 1; from 2 to 256
 * @param network the network's widths
 * @param training optimiser, batches, length
 */
public record ClassifierConfig(
    String name, ImageConfig image, int classes, NetworkConfig network, TrainingConfig training) {
  /** Checks the ranges. */
  public ClassifierConfig {
    requireRange("classes", classes, 2, 256);
  }

  /**
   * Four convolutions, two of them strided, and a hidden layer.
   *
   * @param narrow channels at half the image's height and width
   * @param wide channels at a quarter
   * @param features numbers in the hidden layer, which are the features that sets are compared by
   */
  public record NetworkConfig(int narrow, int wide, int features) {
    /** Checks the ranges. */
    public NetworkConfig {
      requireRange("network.narrow", narrow, 1, 1024);
      requireRange("network.wide", wide, 1, 1024);
      requireRange("network.features", features, 1, 2048);
    }
  }

  /**
   * Optimiser and schedule: Adam (Kingma and Ba 2015), whose rate falls to 0 by half a cosine.
   *
   * @param batch images a step, a multiple of {@link ClassifierTrainer#PARTS}
   * @param epochs passes over the training images, in whole batches
   * @param learningRate at the beginning
   * @param shift each image is moved by up to so many pixels, up, down, left and right
   */
  public record TrainingConfig(int batch, int epochs, double learningRate, int shift) {
    /** Checks the ranges. */
    public TrainingConfig {
      requireRange("training.batch", batch, ClassifierTrainer.PARTS, 1 << 16);
      if (batch % ClassifierTrainer.PARTS != 0) {
        throw new IllegalArgumentException(
            "training.batch must be a multiple of " + ClassifierTrainer.PARTS + ", not " + batch);
      }
      requireRange("training.epochs", epochs, 1, 10_000);
      if (!(learningRate > 0 && learningRate <= 1)) {
        throw new IllegalArgumentException(
            String.format(
                Locale.ROOT,
                "training.learning_rate must be above 0 and at most 1, not %s",
                learningRate));
      }
      requireRange("training.shift", shift, 0, 8);
    }

    /** The same with another length. */
    public TrainingConfig withEpochs(int newEpochs) {
      return new TrainingConfig(batch, newEpochs, learningRate, shift);
    }

    /** The same with other batches. */
    public TrainingConfig withBatch(int newBatch) {
      return new TrainingConfig(newBatch, epochs, learningRate, shift);
    }
  }

  /** The same with another schedule. */
  public ClassifierConfig withTraining(TrainingConfig newTraining) {
    return new ClassifierConfig(name, image, classes, network, newTraining);
  }

  /** The names that {@link #named} knows. */
  public static List<String> names() {
    return List.of("mnist");
  }

  /**
   * A named configuration: {@code mnist}, for images of 28x28 grey pixels in ten classes.
   *
   * @throws IllegalArgumentException if there is no such name
   */
  public static ClassifierConfig named(String name) {
    if (!name.equals("mnist")) {
      throw new IllegalArgumentException(
          "there is no classifier \""
              + name
              + "\": choose "
              + String.join(", ", names())
              + ", or name a .json file");
    }
    return new ClassifierConfig(
        name,
        new ImageConfig(28, 28, 1),
        10,
        new NetworkConfig(32, 64, 128),
        new TrainingConfig(128, 3, 2e-3, 1));
  }

  /**
   * Checks that images are of this configuration's size.
   *
   * @throws IllegalArgumentException if they are not
   */
  public void requireImages(ImageDataset images) {
    if (images.height() != image.height()
        || images.width() != image.width()
        || images.channels() != image.channels()) {
      throw new IllegalArgumentException(
          "the classifier is for images of "
              + image.height()
              + "x"
              + image.width()
              + "x"
              + image.channels()
              + ", and there are "
              + images);
    }
  }

  /**
   * Checks that images are of this configuration's size and have labels in its range.
   *
   * @throws IllegalArgumentException if they are not
   */
  public void requireLabelledImages(ImageDataset images) {
    requireImages(images);
    if (!images.hasLabels()) {
      throw new IllegalArgumentException(
          images.name() + " has no labels, and a classifier learns from labels");
    }
    for (int i = 0; i < images.count(); i++) {
      if (images.label(i) >= classes) {
        throw new IllegalArgumentException(
            images.name()
                + " has label "
                + images.label(i)
                + " at image "
                + i
                + ", and the classifier has "
                + classes
                + " classes, from 0");
      }
    }
  }

  private static void requireRange(String what, long value, long low, long high) {
    if (value < low || value > high) {
      throw new IllegalArgumentException(
          what + " must be from " + low + " to " + high + ", not " + value);
    }
  }
}
