package dev.tessera.judge;

import dev.tessera.train.RunInfo.DataInfo;

/**
 * What the training of a classifier was, beside its configuration: {@code classifier.json}. It is
 * the same for any number of threads, as the weights are.
 *
 * @param version of Tessera
 * @param seed of weights, shuffles and shifts
 * @param data what it was trained on, and how many images it was measured on
 * @param accuracy share of the held-out images whose class it names
 * @param nats mean of -log p(label) over the held-out images
 */
public record ClassifierInfo(
    String version, long seed, DataInfo data, double accuracy, double nats) {}
