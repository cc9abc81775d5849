/**
 * Training steps, ours and the peers': the networks alone, and the whole step with its quantiser.
 * The program is {@link dev.tessera.benchmarks.TrainStep}.
 */
@NullMarked
package dev.tessera.benchmarks.train;

import org.jspecify.annotations.NullMarked;
