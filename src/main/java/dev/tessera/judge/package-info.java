/**
 * Judging images that a model made. A small {@link Classifier} of our own, which {@link
 * ClassifierTrainer} trains on labelled images, says which class an image looks like, and how far
 * two sets of images are apart: the {@link FeatureGaussian} distance of its features.
 */
@NullMarked
package dev.tessera.judge;

import org.jspecify.annotations.NullMarked;
