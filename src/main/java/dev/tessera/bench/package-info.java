/**
 * What {@code tessera bench} measures: the quantiser's ops against the processor's fp32 peak and a
 * plain matrix product, on random vectors, a trained encoder's, or a file's; and whether every
 * answer is the right one, by plain float64 arithmetic.
 */
@NullMarked
package dev.tessera.bench;

import org.jspecify.annotations.NullMarked;
