/**
 * Training: {@link Trainer} drives the loop, {@link Adam} moves the parameters, {@link Evaluation}
 * measures on images that were not trained on, and {@link RunFolder} keeps it all on disk.
 */
@NullMarked
package dev.tessera.train;

import org.jspecify.annotations.NullMarked;
