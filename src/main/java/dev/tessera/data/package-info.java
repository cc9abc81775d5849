/**
 * Images in memory and how they get into training: {@link dev.tessera.data.Datasets} finds and
 * reads them (MNIST IDX, CIFAR-10, folders of PNG and JPEG, the digits inside the jar), {@link
 * dev.tessera.data.ImageDataset} holds them as bytes with a fingerprint, and {@link
 * dev.tessera.data.BatchLoader} prepares shuffled batches of floats on a thread of its own. All
 * randomness is {@link dev.tessera.data.Philox}, a function of seed, stream and step.
 */
@NullMarked
package dev.tessera.data;

import org.jspecify.annotations.NullMarked;
