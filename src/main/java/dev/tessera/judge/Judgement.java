package dev.tessera.judge;

import dev.tessera.data.ImageDataset;
import dev.tessera.data.Philox;
import dev.tessera.nn.RandomStreams;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/**
 * What a classifier makes of drawn images, beside what it makes of held-out images and of their
 * reconstructions, which no drawn image is expected to surpass.
 *
 * @param dimensions of the features
 * @param samples drawn images against the classes asked for; null if none were
 * @param taken what each drawn image was taken for
 * @param heldOut held-out images against their labels; null if they have none
 * @param reconstructions reconstructions against the labels of their originals; null likewise
 * @param samplesDistance drawn images and all held-out ones
 * @param reconstructionsDistance reconstructions and their originals
 * @param heldOutDistance some held-out images and the others, for scale: what images of one
 *     distribution give
 */
@SuppressWarnings("ArrayRecordComponent") // never compared
public record Judgement(
    int dimensions,
    @Nullable Confusion samples,
    int[] taken,
    @Nullable Confusion heldOut,
    @Nullable Confusion reconstructions,
    Distance samplesDistance,
    Distance reconstructionsDistance,
    Distance heldOutDistance) {

  /**
   * A squared Frechet distance of two sets of images, and their sizes, on which it depends.
   *
   * @param squared {@link FeatureGaussian#frechetDistance}
   * @param images in the one set
   * @param others in the other
   */
  public record Distance(double squared, int images, int others) {}

  /** Fewest held-out images: two halves of two each have a covariance. */
  private static final int FEWEST = 4;

  /**
   * Judges images.
   *
   * @param samples drawn images, at least 2, whose labels are the classes that were asked for
   * @param heldOut images that neither model was trained on, at least 4
   * @param reconstructions of the held-out images, in their order
   * @throws IllegalArgumentException if there are too few, or their size or labels do not fit the
   *     classifier
   */
  public static Judgement of(
      Classifier classifier,
      ImageDataset samples,
      ImageDataset heldOut,
      ImageDataset reconstructions) {
    if (samples.count() < 2 || heldOut.count() < FEWEST) {
      throw new IllegalArgumentException(
          "at least 2 samples and "
              + FEWEST
              + " held-out images are needed, and there are "
              + samples.count()
              + " and "
              + heldOut.count());
    }
    if (reconstructions.count() != heldOut.count()) {
      throw new IllegalArgumentException(
          reconstructions.count()
              + " reconstructions of "
              + heldOut.count()
              + " held-out images; there must be one of each");
    }
    Classifier.Answer drawn = classifier.classify(samples);
    Classifier.Answer held = classifier.classify(heldOut);
    Classifier.Answer again = classifier.classify(reconstructions);
    int dimensions = classifier.config().network().features();
    FeatureGaussian all = FeatureGaussian.of(held.features(), dimensions);
    return new Judgement(
        dimensions,
        confusion(classifier, samples, drawn),
        drawn.classes(),
        confusion(classifier, heldOut, held),
        confusion(classifier, heldOut, again),
        distance(FeatureGaussian.of(drawn.features(), dimensions), all),
        distance(FeatureGaussian.of(again.features(), dimensions), all),
        amongThemselves(held.features(), dimensions, samples.count()));
  }

  private static @Nullable Confusion confusion(
      Classifier classifier, ImageDataset labels, Classifier.Answer answer) {
    if (!labels.hasLabels()) {
      return null;
    }
    classifier.config().requireLabelledImages(labels);
    return Confusion.of(classifier.config().classes(), Classifier.labels(labels), answer.classes());
  }

  private static Distance distance(FeatureGaussian one, FeatureGaussian other) {
    return new Distance(one.frechetDistance(other), one.count(), other.count());
  }

  // As many images as there are samples (at most half of all) against the rest: the same sizes as
  // the samples' figure has, as nearly as the set allows. Which images is always the same.
  private static Distance amongThemselves(float[] features, int dimensions, int samples) {
    int count = features.length / dimensions;
    int[] order = new int[count];
    Arrays.setAll(order, i -> i);
    new Philox(0, RandomStreams.HALVES, 0).shuffle(order);
    float[] shuffled = new float[features.length];
    for (int i = 0; i < count; i++) {
      System.arraycopy(features, order[i] * dimensions, shuffled, i * dimensions, dimensions);
    }
    int cut = Math.min(samples, count / 2) * dimensions;
    return distance(
        FeatureGaussian.of(Arrays.copyOfRange(shuffled, 0, cut), dimensions),
        FeatureGaussian.of(Arrays.copyOfRange(shuffled, cut, shuffled.length), dimensions));
  }
}
